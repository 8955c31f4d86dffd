package messaging

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/mailbox"
	"github.com/message-service/message-service/internal/roster"
)

// mailboxRow is what a mailbox counts.
type mailboxRow struct {
	User   string `db:"user_id"`
	Clock  ID     `db:"clock"`
	Own    int    `db:"own_changes"`
	Groups int    `db:"group_changes"`
}

func (g team) mailboxRows() map[string]mailboxRow {
	g.Helper()
	var rows []mailboxRow
	read(g.T, g.Service, func(ctx context.Context, q sqlx.QueryerContext) error {
		return sqlx.SelectContext(ctx, q, &rows, "SELECT user_id, clock, own_changes, group_changes FROM mailboxes")
	})
	byUser := map[string]mailboxRow{}
	for _, row := range rows {
		byUser[row.User] = row
	}
	return byUser
}

// TestGroupStamps checks of each use case which mailboxes it changes, what they count, and what it publishes: a
// group's address, and those whose memberships have changed, but never all of the members.
func TestGroupStamps(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		var mu sync.Mutex
		var published []string
		s := newReplicas(t, engine, 1, Options{Publish: func(users []string, _ map[string]Stored) {
			mu.Lock()
			defer mu.Unlock()
			published = append(published, users...)
		}})[0]
		g := team{t, s, "~team"}
		expect := func(name, stamps, publishes string, do func() error) {
			t.Helper()
			before := g.mailboxRows()
			published = nil
			must(t, do())
			var changed []string
			var clock ID
			for user, after := range g.mailboxRows() {
				if was := before[user]; after.Clock != was.Clock {
					changed = append(changed, fmt.Sprintf("%s+%d+%d", user, after.Own-was.Own, after.Groups-was.Groups))
					if clock != (ID{}) && after.Clock != clock {
						t.Errorf("%s: the clocks differ", name)
					}
					clock = after.Clock
				} else if after != was {
					t.Errorf("%s: %+v, was %+v", name, after, was)
				}
			}
			slices.Sort(changed)
			slices.Sort(published)
			if got := strings.Join(changed, " "); got != stamps {
				t.Errorf("%s stamps %s, want %s", name, got, stamps)
			}
			if got := strings.Join(published, " "); got != publishes {
				t.Errorf("%s publishes %s, want %s", name, got, publishes)
			}
		}
		add := func(users ...string) func() error {
			return func() error { _, err := s.AddMembers(t.Context(), AsService, "~team", users); return err }
		}
		role := func(user string, role roster.Role) func() error {
			return func() error { _, err := s.SetRole(t.Context(), AsService, "~team", user, role); return err }
		}
		remove := func(user string) func() error {
			return func() error { return s.RemoveMember(t.Context(), AsService, "~team", user) }
		}
		update := func() error {
			_, err := s.UpdateGroup(t.Context(), AsService, "~team", GroupEdit{Name: new("New")})
			return err
		}
		create := func() error {
			_, _, err := s.CreateGroup(t.Context(), AsService, NewGroup{Address: "~team", Name: "Team", Owner: "ann"})
			return err
		}
		expect("create", "ann+1+2 ~team+0+2", "ann ~team", create)
		expect("create again", "", "", create)
		expect("add", "ann+0+2 bob+1+2 cat+1+2 ~team+0+2", "bob cat ~team", add("bob", "cat", "bob"))
		expect("add again", "", "", add("bob", "cat"))
		expect("update", "ann+0+1 bob+0+1 cat+0+1 ~team+0+1", "~team", update)
		expect("update again", "", "", update)
		expect("make an admin", "ann+0+1 bob+0+1 cat+1+1 ~team+0+1", "cat ~team", role("cat", roster.Admin))
		expect("make an admin again", "", "", role("cat", roster.Admin))
		expect("hand over", "ann+1+2 bob+1+2 cat+0+2 ~team+0+2", "ann bob ~team", role("bob", roster.Owner))
		expect("remove", "ann+0+1 bob+0+1 cat+1+1 ~team+0+1", "cat ~team", remove("cat"))
		expect("remove the owner", "ann+1+2 bob+1+2 ~team+0+2", "ann bob ~team", remove("bob"))
		expect("add once more", "ann+0+1 cat+1+1 ~team+0+1", "cat ~team", add("cat"))
		must(t, s.mailboxes.Change(t.Context(), []string{"eve"}, func(ctx context.Context, tx *sqlx.Tx, _ ID) error {
			return mailbox.Close(ctx, tx, "eve", true)
		}))
		expect("add one who is refused", "", "", add("eve"))
		expect("add others, too", "ann+0+2 cat+0+2 dan+1+2 fay+1+2 ~team+0+2", "dan fay ~team", add("dan", "eve", "fay"))
		for _, user := range []string{"dan", "fay"} {
			must(t, s.RemoveMember(t.Context(), AsService, "~team", user))
		}
		expect("delete", "ann+1+1 cat+1+1 ~team+0+1", "~team", func() error { return s.DeleteGroup(t.Context(), AsService, "~team") })
	})
}

// groupUseCases are what there is to do with a group, and the outcomes for groupCallers.
var groupUseCases = map[string]struct {
	run  func(ctx context.Context, s *Service, c Caller, group string) error
	want []string
}{
	"get": {func(ctx context.Context, s *Service, c Caller, group string) error {
		_, err := s.GetGroup(ctx, c, group)
		return err
	}, forMembers},
	"list members": {func(ctx context.Context, s *Service, c Caller, group string) error {
		_, err := s.ListMembers(ctx, c, group, "", 1)
		return err
	}, forMembers},
	"update": {func(ctx context.Context, s *Service, c Caller, group string) error {
		_, err := s.UpdateGroup(ctx, c, group, GroupEdit{Name: new("New")})
		return err
	}, forAdmins},
	"add": {func(ctx context.Context, s *Service, c Caller, group string) error {
		_, err := s.AddMembers(ctx, c, group, []string{"new"})
		return err
	}, forAdmins},
	"set a role": {func(ctx context.Context, s *Service, c Caller, group string) error {
		_, err := s.SetRole(ctx, c, group, "max", roster.Admin)
		return err
	}, forOwners},
	"hand over": {func(ctx context.Context, s *Service, c Caller, group string) error {
		_, err := s.SetRole(ctx, c, group, "max", roster.Owner)
		return err
	}, forOwners},
	"delete": {func(ctx context.Context, s *Service, c Caller, group string) error {
		return s.DeleteGroup(ctx, c, group)
	}, forOwners},
	"remove a member":            {removing("mia"), forAdmins},
	"remove an admin":            {removing("amy"), []string{"ok", "ok", "forbidden", "forbidden", "not found groupId", "not found groupId"}},
	"remove oneself as an admin": {removing("ada"), []string{"ok", "ok", "ok", "forbidden", "not found groupId", "not found groupId"}},
	"remove oneself":             {removing("max"), []string{"ok", "ok", "ok", "ok", "not found groupId", "not found groupId"}},
	"remove the owner":           {removing("own"), []string{"ok", "ok", "forbidden", "forbidden", "not found groupId", "not found groupId"}},
	"remove somebody else": {removing("carl"), []string{
		"not found userId", "not found userId", "not found userId", "forbidden", "not found groupId", "not found groupId",
	}},
}

var (
	groupCallers = []string{"service", "own", "ada", "max", "carl", "nobody"}

	forMembers = []string{"ok", "ok", "ok", "ok", "not found groupId", "not found groupId"}
	forAdmins  = []string{"ok", "ok", "ok", "forbidden", "not found groupId", "not found groupId"}
	forOwners  = []string{"ok", "ok", "forbidden", "forbidden", "not found groupId", "not found groupId"}
)

func removing(user string) func(context.Context, *Service, Caller, string) error {
	return func(ctx context.Context, s *Service, c Caller, group string) error {
		return s.RemoveMember(ctx, c, group, user)
	}
}

// TestGroupCallers has every caller do everything with a group. To those who are not members it is as one that is
// deleted and one that never was, by the same statements.
func TestGroupCallers(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s, recorder := newRecorded(t, engine)
		must(t, newTeam(t, s, "~deleted", "own", "carl").DeleteGroup(t.Context(), AsService, "~deleted"))
		n := 0
		for name, useCase := range groupUseCases {
			for i, who := range groupCallers {
				n++
				g := newTeam(t, s, fmt.Sprintf("~%d", n), "own", "ada", "amy", "max", "mia")
				g.setRole("own", "ada", roster.Admin)
				g.setRole("own", "amy", roster.Admin)
				run := func(group string) (outcome, answer, statements string) {
					var err error
					list := recorder.during(func() { err = useCase.run(t.Context(), s, caller(who), group) })
					for _, statement := range list {
						statements += statement.text + ";\n"
					}
					return outcomeOf(err), fmt.Sprint(err), statements
				}
				outcome, answer, statements := run(g.address)
				if outcome != useCase.want[i] {
					t.Errorf("%s as %s: %s, want %s", name, who, outcome, useCase.want[i])
				}
				if strings.Contains(outcome, "groupId") && strings.Count(statements, ";") != 1 {
					t.Errorf("%s as %s is refused after %s", name, who, statements)
				}
				for _, other := range []string{"~deleted", "~never"} {
					if _, otherAnswer, otherStatements := run(other); who != "service" && strings.Contains(outcome, "groupId") && (otherAnswer != answer || otherStatements != statements) {
						t.Errorf("%s as %s: %q by %s, but of %s %q by %s", name, who, answer, statements, other, otherAnswer, otherStatements)
					}
				}
			}
		}
	})
}

// TestRoleLost has an admin change a group while the owner takes their role away: the change waits, and is refused.
func TestRoleLost(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		for state, want := range map[string]string{"active": "forbidden", "left": "not found groupId"} {
			s := newReplicas(t, engine, 1, Options{})[0]
			g := newTeam(t, s, "~team", "ann", "bob")
			g.setRole("ann", "bob", roster.Admin)
			done := make(chan error, 1)
			must(t, s.db.Tx(t.Context(), time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
				if _, err := s.rosters.Lock(ctx, tx, []string{"~team"}); err != nil {
					return err
				}
				go func() {
					_, err := s.UpdateGroup(t.Context(), AsUser("bob"), "~team", GroupEdit{Name: new("New")})
					done <- err
				}()
				if err := untilWaiting(ctx, tx, engine); err != nil {
					return err
				}
				if err := setMemberCount(ctx, tx, "~team", 2); err != nil {
					return err
				}
				_, err := tx.ExecContext(ctx, "UPDATE members SET role = 'member', state = $1 WHERE user_id = 'bob'", state)
				return err
			}))
			if err := <-done; outcomeOf(err) != want {
				t.Errorf("an admin who is %s, but a member: %v", state, err)
			}
		}
	})
}
