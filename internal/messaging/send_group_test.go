package messaging

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// TestSendToGroup sends to a group: it is stored once, in the mailboxes of the group and its members.
func TestSendToGroup(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		f := newInGroups(t, engine)
		f.group("~team", "amy", "bob", "cat")
		f.group("~two", "amy", "dan")
		first := f.mustSend("amy", "~team")
		if at, want := f.mailboxesAt(first.ID), "amy 0 1, bob 0 1, cat 0 1, ~team 0 1"; at != want {
			t.Errorf("at the first message: %s, want %s", at, want)
		}
		if last := f.lastMessage("~team"); last == nil || *last != first.ID {
			t.Errorf("the last message is %v, want %s", last, first.ID)
		}
		if !slices.EqualFunc(f.published, [][]string{{"~team"}}, slices.Equal) {
			t.Errorf("published %v", f.published)
		}
		f.mustSend("dan", "~two")
		f.mustSend("bob", "amy")
		second := f.mustSend("bob", "~team")
		if at, want := f.mailboxesAt(second.ID), "amy 1 3, bob 1 2, cat 0 2, ~team 0 2"; at != want {
			t.Errorf("at the second message: %s, want %s", at, want)
		}
		if sends := f.Status().Sends; sends != 4 {
			t.Errorf("counted %d sends, want 4", sends)
		}
	})
}

// TestSendToGroupRefused sends what a rule refuses: it changes no mailbox.
func TestSendToGroupRefused(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		f := newInGroups(t, engine)
		f.group("~team", "amy", "bob", "gone")
		f.group("~two", "amy", "bob")
		f.group("~deleted", "amy")
		f.execute("UPDATE groups SET deleted = true WHERE group_id = '~deleted'")
		before := f.mustSend("amy", "~team")
		f.tx(func(ctx context.Context, tx *sqlx.Tx) error { return f.join(ctx, tx, "late") })
		other, direct := f.mustSend("amy", "~two"), f.mustSend("amy", "bob")
		if _, _, err := f.send(Draft{Sender: "bob", Recipient: "~two", IdempotencyKey: "key"}); err != nil {
			t.Fatal(err)
		}
		f.tx(func(ctx context.Context, tx *sqlx.Tx) error { return leave(ctx, tx, "~two", "bob") })
		f.execute("UPDATE mailboxes SET closed = true WHERE user_id = 'gone'")

		const none = "not found recipient"
		clocks := f.clocks()
		for _, test := range []struct {
			draft Draft
			want  string
		}{
			{Draft{Sender: "zoe", Recipient: "~team"}, none},
			{Draft{Sender: "zoe", Recipient: "~team", ReplyTo: &before.ID, IdempotencyKey: "key"}, none},
			{Draft{Sender: "bob", Recipient: "~two"}, none},
			{Draft{Sender: "bob", Recipient: "~two", IdempotencyKey: "key"}, none},
			{Draft{Sender: "amy", Recipient: "~none"}, none},
			{Draft{Sender: "amy", Recipient: "~deleted"}, none},
			{Draft{Sender: "amy", Recipient: "~team", ReplyTo: &other.ID}, "invalid argument replyTo"},
			{Draft{Sender: "amy", Recipient: "~team", ReplyTo: &direct.ID}, "invalid argument replyTo"},
			{Draft{Sender: "amy", Recipient: "~team", ReplyTo: &ID{}}, "invalid argument replyTo"},
			{Draft{Sender: "late", Recipient: "~team", ReplyTo: &before.ID}, "invalid argument replyTo"},
			{Draft{Sender: "amy", Recipient: "bob", ReplyTo: &before.ID}, "invalid argument replyTo"},
		} {
			if _, _, err := f.send(test.draft); outcomeOf(err) != test.want {
				t.Errorf("%+v: %v, want %s", test.draft, err, test.want)
			}
			if test.draft.Recipient != "bob" && f.clocks() != clocks {
				t.Errorf("%+v changes clocks from %s to %s", test.draft, clocks, f.clocks())
			}
		}
		if _, _, err := f.send(Draft{Sender: "gone", Recipient: "~team"}); outcomeOf(err) != "user closed" {
			t.Errorf("by a user who is being erased: %v", err)
		}
		for _, sender := range []string{"amy", "bob"} {
			if _, _, err := f.send(Draft{Sender: sender, Recipient: "~team", ReplyTo: &before.ID}); err != nil {
				t.Errorf("a reply by %s: %v", sender, err)
			}
		}
	})
}

// TestSendToGroupAgain sends with keys again, alone and in a batch with the first: a key is one for each
// recipient, and a message that is stored changes no mailbox again.
func TestSendToGroupAgain(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		f := newInGroups(t, engine)
		f.group("~team", "amy", "bob")
		f.group("~two", "amy", "bob")
		ids := map[ID]bool{}
		for _, recipient := range []string{"~team", "~two", "bob"} {
			draft := Draft{Sender: "amy", Recipient: recipient, Text: "x", IdempotencyKey: "key"}
			sent, replayed, err := f.send(draft)
			if err != nil || replayed {
				t.Fatal(recipient, replayed, err)
			}
			ids[sent.ID] = true
			clocks := f.clocks()
			again, replayed, err := f.send(draft)
			if err != nil || !replayed || again.ID != sent.ID {
				t.Errorf("to %s again: %+v, %t: %v", recipient, again, replayed, err)
			}
			draft.Text = "y"
			if _, _, err := f.send(draft); outcomeOf(err) != "idempotency key reused Idempotency-Key" {
				t.Errorf("another to %s: %v", recipient, err)
			}
			if recipient != "bob" && f.clocks() != clocks {
				t.Errorf("to %s again: it changes the clocks", recipient)
			}
		}
		if len(ids) != 3 {
			t.Errorf("one key made %d messages, want 3", len(ids))
		}

		batch := []*send{f.draft("amy", "~team", "new"), f.draft("amy", "~two", "new"), f.draft("bob", "~team", "new"), f.draft("amy", "~team", "new"), f.draft("amy", "~team", "")}
		if failed, err := f.sends.writeToGroups(batch); err != nil || len(failed) > 0 {
			t.Fatal(failed, err)
		}
		var outcomes []string
		for _, s := range batch {
			outcomes = append(outcomes, fmt.Sprint(slices.IndexFunc(batch, func(first *send) bool { return first.message.ID == s.message.ID }), s.replayed))
		}
		if want := []string{"0 false", "1 false", "2 false", "0 true", "4 false"}; !slices.Equal(outcomes, want) {
			t.Errorf("a batch: %v, want %v", outcomes, want)
		}
		if last := f.lastMessage("~team"); last == nil || *last != batch[4].message.ID {
			t.Errorf("the last message is %v, want %s", last, batch[4].message.ID)
		}
		if last := f.lastMessage("~two"); last == nil || *last != batch[1].message.ID {
			t.Errorf("the last message is %v, want %s", last, batch[1].message.ID)
		}
	})
}

// TestSendWhileMembersChange has sends wait for the row of their group, whose members change meanwhile: a
// former member stores nothing, and a new member gets the message.
func TestSendWhileMembersChange(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		f := newInGroups(t, engine)
		during := func(sender string, change func(context.Context, *sqlx.Tx) error) (Message, string) {
			t.Helper()
			type answer struct {
				Message
				error
			}
			answers := make(chan answer, 1)
			f.tx(func(ctx context.Context, tx *sqlx.Tx) error {
				if _, err := f.rosters.Lock(ctx, tx, []string{"~team"}); err != nil {
					return err
				}
				go func() {
					m, _, err := f.send(Draft{Sender: sender, Recipient: "~team"})
					answers <- answer{m, err}
				}()
				if err := untilWaiting(ctx, tx, engine); err != nil {
					return err
				}
				return change(ctx, tx)
			})
			a := <-answers
			return a.Message, outcomeOf(a.error)
		}
		f.group("~team", "amy", "bob")
		f.mustSend("amy", "~team")

		m, outcome := during("amy", func(ctx context.Context, tx *sqlx.Tx) error { return f.join(ctx, tx, "zoe") })
		if at, want := f.mailboxesAt(m.ID), "amy 0 2, bob 0 2, zoe 0 1, ~team 0 2"; at != want || outcome != "ok" {
			t.Errorf("after one has joined: %s, want %s; %s", at, want, outcome)
		}
		m, outcome = during("amy", func(ctx context.Context, tx *sqlx.Tx) error { return leave(ctx, tx, "~team", "zoe") })
		if at, want := f.mailboxesAt(m.ID), "amy 0 3, bob 0 3, ~team 0 3"; at != want || outcome != "ok" {
			t.Errorf("after one has left: %s, want %s; %s", at, want, outcome)
		}
		clocks := f.clocks()
		_, outcome = during("amy", func(ctx context.Context, tx *sqlx.Tx) error { return leave(ctx, tx, "~team", "amy") })
		if outcome != "not found recipient" || f.clocks() != clocks {
			t.Errorf("after the sender was removed: %s, and the clocks are %s, were %s", outcome, f.clocks(), clocks)
		}
		f.tx(func(ctx context.Context, tx *sqlx.Tx) error { return f.join(ctx, tx, "yan") })
		_, outcome = during("yan", func(ctx context.Context, tx *sqlx.Tx) error {
			_, err := tx.ExecContext(ctx, "UPDATE groups SET deleted = true")
			return err
		})
		if outcome != "not found recipient" || f.clocks() != clocks {
			t.Errorf("after the group was deleted: %s, and the clocks are %s, were %s", outcome, f.clocks(), clocks)
		}
	})
}

// TestSendToLargeGroups sends to groups that have more members together than a transaction reads.
func TestSendToLargeGroups(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		f := newInGroups(t, engine)
		batch := []*send{f.draft("amy", "~none", "")}
		for n := range 5 {
			group := fmt.Sprint("~", n)
			f.group(group, "amy", "bob")
			batch = append(batch, f.draft("amy", group, ""), f.draft("bob", group, ""))
		}
		f.execute("UPDATE groups SET member_count = 2000")
		if failed, err := f.sends.writeToGroups(batch); err != nil || len(failed) > 0 {
			t.Fatal(failed, err)
		}
		for i, s := range batch {
			if want := map[bool]string{true: "not found recipient", false: "ok"}[i == 0]; outcomeOf(s.err) != want || s.isStored() != (i > 0) {
				t.Errorf("the send to %s: %v, stored %t", s.draft.Recipient, s.err, s.isStored())
			}
		}
	})
}

// TestFitting splits batches at the number of mailboxes that one transaction changes.
func TestFitting(t *testing.T) {
	t.Parallel()
	users := func(from, to int) (list []string) {
		for i := from; i < to; i++ {
			list = append(list, fmt.Sprintf("u%05d", i))
		}
		return list
	}
	groups := map[string][]string{
		"~huge": users(0, 6000), "~large": users(0, 4000), "~same": users(100, 4000), "~rest": users(3000, 5000), "~one": users(5000, 5001),
	}
	for _, test := range []struct{ batch, now, later string }{
		{"~huge", "~huge", ""},
		{"~huge ~huge ~one", "~huge ~huge", "~one"},
		{"~one ~huge ~one", "~one ~one", "~huge"},
		{"~large ~same ~rest ~none ~large", "~large ~same ~rest ~none ~large", ""},
		{"~large ~same ~rest ~one ~one ~large", "~large ~same ~rest ~large", "~one ~one"},
	} {
		var batch []*send
		for to := range strings.FieldsSeq(test.batch) {
			batch = append(batch, newSend(Draft{Sender: "amy", Recipient: to}))
		}
		write := func(list []*send) string {
			var to []string
			for _, s := range list {
				to = append(to, s.draft.Recipient)
			}
			return strings.Join(to, " ")
		}
		if now, later := fitting(batch, func(group string) []string { return groups[group] }); write(now) != test.now || write(later) != test.later {
			t.Errorf("%s: %q now, %q later, want %q and %q", test.batch, write(now), write(later), test.now, test.later)
		}
	}
}
