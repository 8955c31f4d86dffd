package messaging

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/roster"
)

// inGroups is a service with groups.
type inGroups struct {
	*Service
	t         *testing.T
	published [][]string
}

func newInGroups(t *testing.T, engine db.Engine) *inGroups {
	f := &inGroups{t: t}
	f.Service = New(dbtest.Open(t, dbtest.NewURL(t, engine)), Options{Publish: func(users []string, _ map[string]Stored) { f.published = append(f.published, users) }})
	t.Cleanup(func() { _ = f.Close(context.Background()) })
	return f
}

// tx runs a transaction.
func (f *inGroups) tx(fn func(context.Context, *sqlx.Tx) error) {
	f.t.Helper()
	if err := f.db.Tx(f.t.Context(), time.Minute, fn); err != nil {
		f.t.Fatal(err)
	}
}

func (f *inGroups) execute(statement string) {
	f.t.Helper()
	f.tx(func(ctx context.Context, tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, statement)
		return err
	})
}

// group makes a group of users, each of whom can see what comes after they have joined. What mailboxes count and what is published begins anew.
func (f *inGroups) group(address string, users ...string) {
	f.t.Helper()
	_, _, err := f.CreateGroup(f.t.Context(), AsService, NewGroup{Address: address, Name: "x", History: roster.None, Owner: users[0]})
	if err == nil && len(users) > 1 {
		_, err = f.AddMembers(f.t.Context(), AsService, address, users[1:])
	}
	if err != nil {
		f.t.Fatal(err)
	}
	f.execute("UPDATE mailboxes SET own_changes = 0, group_changes = 0")
	f.published = nil
}

// join makes a user a member of ~team.
func (f *inGroups) join(ctx context.Context, tx *sqlx.Tx, user string) error {
	now := f.mailboxes.NewIDs(1)[0]
	m := &roster.Membership{Group: "~team", User: user, Role: roster.Member, State: roster.Active, Since: now, VisibleFrom: now, Changed: now}
	for _, table := range []interface {
		Insert(rows ...*roster.Membership) (string, []any)
	}{roster.MemberTable, roster.MembershipTable} {
		statement, args := table.Insert(m)
		if _, err := tx.ExecContext(ctx, tx.Rebind(statement), args...); err != nil {
			return err
		}
	}
	_, err := tx.ExecContext(ctx, "UPDATE groups SET version = version + 1 WHERE group_id = '~team'")
	return err
}

// leave ends the membership of a user.
func leave(ctx context.Context, tx *sqlx.Tx, address, user string) error {
	for _, statement := range []string{
		"UPDATE groups SET version = version + 1 WHERE group_id = $1 AND $2 <> ''",
		"UPDATE members SET state = 'left' WHERE group_id = $1 AND user_id = $2",
		"UPDATE memberships SET state = 'left' WHERE group_id = $1 AND user_id = $2",
	} {
		if _, err := tx.ExecContext(ctx, statement, address, user); err != nil {
			return err
		}
	}
	return nil
}

// send sends as a user.
func (f *inGroups) send(draft Draft) (Message, bool, error) {
	if draft.Text == "" {
		draft.Text = "x"
	}
	return f.Send(f.t.Context(), AsUser(draft.Sender), draft)
}

// mustSend sends as a user.
func (f *inGroups) mustSend(sender, recipient string) Message {
	f.t.Helper()
	m, _, err := f.send(Draft{Sender: sender, Recipient: recipient})
	if err != nil {
		f.t.Fatal(err)
	}
	return m
}

// mailboxesAt writes the mailboxes whose clocks are at a change, each "user own groups".
func (f *inGroups) mailboxesAt(change ID) string {
	f.t.Helper()
	var rows []struct {
		UserID string `db:"user_id"`
		Own    int    `db:"own_changes"`
		Groups int    `db:"group_changes"`
	}
	read(f.t, f.Service, func(ctx context.Context, q sqlx.QueryerContext) error {
		return sqlx.SelectContext(ctx, q, &rows, "SELECT user_id, own_changes, group_changes FROM mailboxes WHERE clock = $1 ORDER BY user_id", change)
	})
	list := make([]string, len(rows))
	for i, row := range rows {
		list[i] = fmt.Sprintf("%s %d %d", row.UserID, row.Own, row.Groups)
	}
	return strings.Join(list, ", ")
}

// lastMessage is that of a group.
func (f *inGroups) lastMessage(address string) (last *ID) {
	f.t.Helper()
	read(f.t, f.Service, func(ctx context.Context, q sqlx.QueryerContext) error {
		return sqlx.GetContext(ctx, q, &last, "SELECT last_message_id FROM groups WHERE group_id = $1", address)
	})
	return last
}

// clocks are those of all mailboxes.
func (f *inGroups) clocks() string {
	f.t.Helper()
	var rows []struct {
		UserID string `db:"user_id"`
		Clock  ID     `db:"clock"`
	}
	read(f.t, f.Service, func(ctx context.Context, q sqlx.QueryerContext) error {
		return sqlx.SelectContext(ctx, q, &rows, "SELECT user_id, clock FROM mailboxes ORDER BY user_id")
	})
	return fmt.Sprint(rows)
}

// draft makes a send to a group.
func (f *inGroups) draft(sender, group, key string) *send {
	return newSend(Draft{Sender: sender, Recipient: group, Text: "x", IdempotencyKey: key})
}

// untilWaiting waits until another transaction waits for a lock of this one. SQLite has one at a time.
func untilWaiting(ctx context.Context, tx *sqlx.Tx, engine db.Engine) error {
	for waiting := 0; waiting == 0 && engine == db.Postgres; {
		err := tx.GetContext(ctx, &waiting, "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))")
		if err != nil {
			return err
		}
	}
	return nil
}
