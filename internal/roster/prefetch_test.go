package roster_test

import (
	"database/sql/driver"
	"slices"
	"strings"
	"testing"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/mailbox"
	"github.com/message-service/message-service/internal/roster"
)

// TestPrefetch reads the members of groups, one of which gets another one between its version and its members are read: that
// version is no longer the group's.
func TestPrefetch(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		url := dbtest.NewURL(t, engine)
		f := fixture{T: t, db: dbtest.Open(t, url)}
		member := func(group, user string) {
			f.insert(roster.MemberTable.Insert(&roster.Membership{
				Group: group, User: user, Role: roster.Admin, State: roster.Active, Since: mailbox.ID{1}, VisibleFrom: mailbox.ID{2},
			}))
		}
		f.insert(roster.GroupTable.Insert(&roster.Group{Address: "~a", History: roster.All, Version: 1}, &roster.Group{Address: "~b", History: roster.All, Version: 1}))
		member("~a", "amy")
		member("~b", "bob")
		reads := 0
		f.rosters = roster.New(dbtest.Connect(t, url, db.Options{Trace: func(statement string, _ []driver.NamedValue) {
			if !strings.Contains(statement, "FROM members") {
				return
			}
			if reads++; reads == 1 {
				member("~b", "cat")
				f.insert("UPDATE groups SET version = 2 WHERE group_id = '~b'", nil)
			}
		}}))
		expect := func(group string, version int64, users ...string) {
			t.Helper()
			if v, known := f.rosters.Cached(group); !known || v.Version != version || !slices.Equal(v.Members.Users(), users) {
				t.Errorf("%s: cached %t, as version %d with %v; want %d with %v", group, known, v.Version, v.Members.Users(), version, users)
			}
		}
		for range 2 {
			if err := f.rosters.Prefetch(t.Context(), []string{"~a", "~b", "~none"}); err != nil {
				t.Fatal(err)
			}
		}
		if reads != 1 {
			t.Errorf("it reads members %d times", reads)
		}
		if _, known := f.rosters.Cached("~none"); known {
			t.Error("it has a group that does not exist")
		}
		expect("~a", 1, "amy")
		expect("~b", 1, "bob", "cat")
		f.lock("~b")
		expect("~b", 2, "bob", "cat")
	})
}
