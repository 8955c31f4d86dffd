package roster_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/mailbox"
	"github.com/message-service/message-service/internal/roster"
)

// TestRoles checks what each role has the rights of.
func TestRoles(t *testing.T) {
	t.Parallel()
	roles := []roster.Role{"", roster.Member, roster.Admin, roster.Owner}
	for i, has := range roles {
		for j, needs := range roles[1:] {
			if got := has.AtLeast(needs); got != (i > j) {
				t.Errorf("%q has the rights of %q: %t", has, needs, got)
			}
		}
	}
}

// fixture is a database whose rosters two servers know.
type fixture struct {
	*testing.T
	db      *db.DB
	rosters *roster.Rosters
}

func newFixture(t *testing.T, engine db.Engine) fixture {
	database := dbtest.Open(t, dbtest.NewURL(t, engine))
	return fixture{t, database, roster.New(database)}
}

func (f fixture) tx(fn func(context.Context, *sqlx.Tx) error) {
	f.Helper()
	if err := f.db.Tx(f.Context(), time.Minute, fn); err != nil {
		f.Fatal(err)
	}
}

// insert runs the INSERT of a table.
func (f fixture) insert(statement string, args []any) {
	f.Helper()
	f.tx(func(ctx context.Context, tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, tx.Rebind(statement), args...)
		return err
	})
}

// lock returns the groups that are there, with their members.
func (f fixture) lock(groups ...string) (users map[string][]string) {
	f.Helper()
	f.tx(func(ctx context.Context, tx *sqlx.Tx) error {
		locked, err := f.rosters.Lock(ctx, tx, groups)
		users = map[string][]string{}
		for address, g := range locked {
			if g.Address != address {
				f.Errorf("%s is at %s", g.Address, address)
			}
			users[address] = slices.Clone(g.Members.Users())
			for _, user := range users[address] {
				if entry, is := g.Members.Get(user); !is || entry != (roster.Entry{Role: roster.Admin, Since: mailbox.ID{1}, VisibleFrom: mailbox.ID{2}}) {
					f.Errorf("%s in %s: %+v, %t", user, address, entry, is)
				}
			}
			if _, is := g.Members.Get("nobody"); is {
				f.Errorf("nobody is in %s", address)
			}
		}
		return err
	})
	return users
}

// TestLock locks groups whose members change, by this server and by another one: it never sees old ones, and
// never groups that are deleted.
func TestLock(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		f := newFixture(t, engine)
		expect := func(want map[string][]string) {
			t.Helper()
			if got := f.lock("~b", "~a", "~gone", "~none"); !maps.EqualFunc(got, want, slices.Equal) {
				t.Errorf("got %v, want %v", got, want)
			}
		}
		group := func(address string) *roster.Group {
			return &roster.Group{Address: address, Name: "x", History: roster.All, Version: 1}
		}
		gone := group("~gone")
		gone.Deleted = true
		f.insert(roster.GroupTable.Insert(group("~a"), group("~b"), gone))
		member := func(group, user string, state roster.State) *roster.Membership {
			return &roster.Membership{Group: group, User: user, Role: roster.Admin, State: state, Since: mailbox.ID{1}, VisibleFrom: mailbox.ID{2}}
		}
		f.insert(roster.MemberTable.Insert(
			member("~b", "zoe", roster.Active), member("~b", "amy", roster.Active), member("~b", "max", roster.Left), member("~gone", "amy", roster.Active)))
		expect(map[string][]string{"~a": {}, "~b": {"amy", "zoe"}})
		expect(map[string][]string{"~a": {}, "~b": {"amy", "zoe"}})

		f.insert(roster.MemberTable.Insert(member("~a", "max", roster.Active)))
		f.insert("UPDATE groups SET version = version + 1 WHERE group_id = '~a'", nil)
		expect(map[string][]string{"~a": {"max"}, "~b": {"amy", "zoe"}})
		f.insert("UPDATE groups SET deleted = true WHERE group_id = '~b'", nil)
		expect(map[string][]string{"~a": {"max"}})
	})
}

// TestLockMany locks groups with too many members to be read at once: those of some are, and those of others when it locks
// them again.
func TestLockMany(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		f := newFixture(t, engine)
		for address, members := range map[string]int{"~a": 6000, "~b": 4000, "~c": 2000, "~d": 1000} {
			f.insert(roster.GroupTable.Insert(&roster.Group{Address: address, History: roster.All, MemberCount: members}))
		}
		for _, want := range []string{"~a", "~a ~b ~d", "~a ~b ~c ~d"} {
			var read []string
			f.tx(func(ctx context.Context, tx *sqlx.Tx) error {
				locked, err := f.rosters.Lock(ctx, tx, []string{"~d", "~c", "~b", "~a"})
				for address, g := range locked {
					if g.Members != nil {
						read = append(read, address)
					}
				}
				return err
			})
			if slices.Sort(read); strings.Join(read, " ") != want {
				t.Errorf("it knows the members of %v, want those of %s", read, want)
			}
		}
	})
}

// TestLockWaits locks a group whose members another transaction changes: it waits, and then sees the new ones.
func TestLockWaits(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		f := newFixture(t, engine)
		f.insert(roster.GroupTable.Insert(&roster.Group{Address: "~a", History: roster.All}))
		f.lock("~a")
		locked := make(chan map[string][]string)
		f.tx(func(ctx context.Context, tx *sqlx.Tx) error {
			if _, err := f.rosters.Lock(ctx, tx, []string{"~a"}); err != nil {
				return err
			}
			go func() { locked <- f.lock("~a") }()
			statement, args := roster.MemberTable.Insert(&roster.Membership{
				Group: "~a", User: "amy", Role: roster.Admin, State: roster.Active, Since: mailbox.ID{1}, VisibleFrom: mailbox.ID{2},
			})
			if _, err := tx.ExecContext(ctx, tx.Rebind(statement), args...); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, "UPDATE groups SET version = version + 1"); err != nil || engine == db.SQLite {
				return err
			}
			for waiting := 0; waiting == 0; {
				if err := tx.GetContext(ctx, &waiting, "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"); err != nil {
					return err
				}
			}
			return nil
		})
		if users := <-locked; !slices.Equal(users["~a"], []string{"amy"}) {
			t.Errorf("it sees %v", users)
		}
	})
}

// TestMembership stores and reads a membership with and without what is optional.
func TestMembership(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		f := newFixture(t, engine)
		until := time.Date(2040, 1, 2, 3, 4, 5, 6000, time.UTC)
		want := []roster.Membership{
			{Group: "~a", User: "amy", Role: roster.Owner, State: roster.Deleted, Since: mailbox.ID{1}, VisibleFrom: mailbox.ID{2}, Changed: mailbox.ID{3}},
			{Group: "~b", User: "amy", Role: roster.Member, State: roster.Active, MutedUntil: &until, Hidden: &mailbox.ID{4}},
		}
		f.insert(roster.MembershipTable.Insert(&want[0], &want[1]))
		f.tx(func(ctx context.Context, tx *sqlx.Tx) error {
			got, err := roster.MembershipTable.Select(ctx, tx, "SELECT "+roster.MembershipTable.Columns()+" FROM memberships ORDER BY group_id")
			if err != nil {
				return err
			}
			if len(got) != 2 || got[0] != want[0] || !got[1].MutedUntil.Equal(until) || *got[1].Hidden != (mailbox.ID{4}) {
				t.Errorf("got %+v", got)
			}
			return nil
		})
	})
}
