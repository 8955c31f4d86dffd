package messaging

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/roster"
)

// changers are the service, the owner, an admin and a member of a group, the sender of a message to it, somebody who has joined
// since, the sender of another, who has left since, and a stranger.
var changers = []string{"service", "amy", "adm", "cat", "bob", "late", "left", "zoe"}

// newRoles makes a group of changers, and returns the message.
func newRoles(t *testing.T, engine db.Engine) (*visible, *recorder) {
	v, recorder := newVisible(t, engine)
	if _, err := v.AddMembers(t.Context(), AsService, "~team", []string{"adm", "cat"}); err != nil {
		t.Fatal(err)
	}
	if _, err := v.SetRole(t.Context(), AsService, "~team", "adm", roster.Admin); err != nil {
		t.Fatal(err)
	}
	return v, recorder
}

// TestChangeMessageOfGroup has everybody edit and delete messages of bob to a group. What is refused begins no
// transaction, and what is done is in all mailboxes of the group.
func TestChangeMessageOfGroup(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		v, recorder := newRoles(t, engine)
		for name, want := range map[string][]string{
			"edit":   {"ok", "forbidden", "forbidden", "forbidden", "ok", "forbidden", "not found", "not found"},
			"delete": {"ok", "ok", "ok", "forbidden", "ok", "forbidden", "not found", "not found"},
		} {
			for i, who := range changers {
				m := v.mustSend("bob", "~team")
				var outcome string
				statements := recorder.during(func() { outcome = outcomeOf(useCases[name].run(t.Context(), v.Service, caller(who), m.ID)) })
				if outcome != want[i] {
					t.Errorf("%s as %s: %s, want %s", name, who, outcome, want[i])
				}
				isWrite := func(s recorded) bool { return !strings.HasPrefix(s.text, "SELECT") }
				if outcome != "ok" {
					if len(statements) > 2 || slices.ContainsFunc(statements, isWrite) {
						t.Errorf("%s as %s is refused after %v", name, who, statements)
					}
					continue
				}
				var changed *ID
				read(t, v.Service, func(ctx context.Context, q sqlx.QueryerContext) error {
					return sqlx.GetContext(ctx, q, &changed, "SELECT changed FROM messages WHERE id = $1", m.ID)
				})
				if at := v.mailboxesAt(*changed); owners(at) != "adm amy bob cat late ~team" {
					t.Errorf("%s as %s is in the mailboxes %s", name, who, at)
				}
			}
		}
	})
}

// owners are the mailboxes of inGroups.mailboxesAt, without counts.
func owners(at string) string {
	var list []string
	for mailbox := range strings.SplitSeq(at, ", ") {
		owner, _, _ := strings.Cut(mailbox, " ")
		list = append(list, owner)
	}
	return strings.Join(list, " ")
}

// TestDeleteLastOfGroup deletes the messages of a group, not in their order: its last message is always the newest that
// is left.
func TestDeleteLastOfGroup(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		f := newInGroups(t, engine)
		f.group("~team", "amy", "bob")
		f.group("~other", "amy", "bob")
		first, second, third := f.mustSend("amy", "~team"), f.mustSend("bob", "~team"), f.mustSend("amy", "~team")
		other := f.mustSend("amy", "~other")
		for _, step := range []struct {
			deleted Message
			last    *ID
		}{{second, &third.ID}, {third, &first.ID}, {first, nil}} {
			if err := f.Delete(t.Context(), AsService, step.deleted.ID); err != nil {
				t.Fatal(err)
			}
			if last := f.lastMessage("~team"); (last == nil) != (step.last == nil) || last != nil && *last != *step.last {
				t.Errorf("the last message is %v, want %v", last, step.last)
			}
		}
		if last := f.lastMessage("~other"); last == nil || *last != other.ID {
			t.Errorf("the last message of the other group is %v, want %s", last, other.ID)
		}
		if last := f.mustSend("bob", "~team"); *f.lastMessage("~team") != last.ID {
			t.Errorf("the last message is %v, want %s", f.lastMessage("~team"), last.ID)
		}
	})
}

// TestChangeMessageWhileMembersChange has edits and deletions wait for the row of their group, whose members change
// meanwhile.
func TestChangeMessageWhileMembersChange(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		v, _ := newRoles(t, engine)
		m := v.mustSend("bob", "~team")
		for _, test := range []struct{ name, who, change, want string }{
			{"edit", "bob", "UPDATE groups SET deleted = false WHERE group_id = '~team'", "ok"},
			{"delete", "adm", "UPDATE members SET role = 'member' WHERE user_id = 'adm'", "forbidden"},
			{"edit", "bob", "UPDATE memberships SET state = 'left' WHERE user_id = 'bob'", "not found"},
			{"delete", "amy", "UPDATE groups SET deleted = true WHERE group_id = '~team'", "not found"},
		} {
			outcome := make(chan string, 1)
			v.tx(func(ctx context.Context, tx *sqlx.Tx) error {
				if _, err := v.rosters.Lock(ctx, tx, []string{"~team"}); err != nil {
					return err
				}
				go func() { outcome <- outcomeOf(useCases[test.name].run(t.Context(), v.Service, caller(test.who), m.ID)) }()
				if err := untilWaiting(ctx, tx, engine); err != nil {
					return err
				}
				_, err := tx.ExecContext(ctx, test.change)
				return err
			})
			if got := <-outcome; got != test.want {
				t.Errorf("%s as %s while %s: %s, want %s", test.name, test.who, test.change, got, test.want)
			}
		}
	})
}
