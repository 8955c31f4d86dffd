package messaging

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/mailbox"
)

// fastGroups are three groups with members whom the service remembers. Only ~far has others than the first two.
func fastGroups(t *testing.T, engine db.Engine) *inGroups {
	f := newInGroups(t, engine)
	f.group("~near", "amy", "bob", "cat")
	f.group("~team", "amy", "bob", "cat", "dan")
	f.group("~far", "yan", "zoe")
	for sender, group := range map[string]string{"amy": "~near", "bob": "~team", "zoe": "~far"} {
		f.mustSend(sender, group)
	}
	return f
}

// storeFast takes the fast path with sends, each written "sender group" or "sender group key", and returns which of them it has stored.
func (f *inGroups) storeFast(sends ...string) (stored []int) {
	f.t.Helper()
	batch := make([]*send, len(sends))
	for i, text := range sends {
		var sender, group, key string
		fmt.Sscan(text, &sender, &group, &key) //nolint:errcheck // the key may be missing
		batch[i] = f.draft(sender, group, key)
	}
	f.sends.careful = 0
	rest, err := f.sends.storeFastInGroups(batch)
	if err != nil {
		f.t.Fatal(err)
	}
	for i, s := range batch {
		if s.isStored() != !slices.Contains(rest, s) {
			f.t.Errorf("%s is left with the outcome %+v", sends[i], s.outcome)
		}
		if s.isStored() {
			stored = append(stored, i)
		}
	}
	return stored
}

// TestStoreFastInGroups takes the fast path with sends that a rule may concern, and with others: it stores only the others, and
// none on an engine without a fast path. Where a key is taken or the members are not those that are remembered, it changes nothing.
func TestStoreFastInGroups(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		f := fastGroups(t, engine)
		expect := func(what string, stored []int, want ...int) {
			t.Helper()
			if engine != db.Postgres {
				want = nil
			}
			if !slices.Equal(stored, want) {
				t.Errorf("%s: stored %v, want %v", what, stored, want)
			}
		}
		unchanged := func(what string, sends ...string) {
			t.Helper()
			clocks := f.clocks()
			expect(what, f.storeFast(sends...))
			if f.clocks() != clocks {
				t.Errorf("%s: it changes the clocks", what)
			}
		}
		expect("plain", f.storeFast("amy ~near", "zoe ~far", "bob ~team", "amy ~near"), 0, 1, 2, 3)
		expect("a key twice", f.storeFast("amy ~near key", "amy ~near key", "amy ~team key"), 0, 2)
		unchanged("a key that is taken", "amy ~near key", "zoe ~far")
		expect("a sender who is no member", f.storeFast("zoe ~near", "zoe ~far", "amy ~near"), 1)
		expect("groups that are not remembered", f.storeFast("amy ~none", "zoe ~far"), 1)

		f.aheadBy(time.Hour, "dan")
		expect("a member who is ahead", f.storeFast("amy ~near", "amy ~team", "zoe ~far", "bob ~team"), 0, 2)
		if f.sends.careful != carefulFor && engine == db.Postgres {
			t.Errorf("then %d batches take the path of the rules", f.sends.careful)
		}
		f.execute("UPDATE mailboxes SET closed = true WHERE user_id = 'cat'")
		expect("a user who is being erased", f.storeFast("cat ~near", "amy ~near"), 1)

		f.tx(func(ctx context.Context, tx *sqlx.Tx) error { return leave(ctx, tx, "~near", "cat") })
		unchanged("a group whose members have changed", "amy ~near", "zoe ~far")
		f.mustSend("amy", "~near")
		expect("once they are known", f.storeFast("amy ~near", "zoe ~far"), 0, 1)
		f.execute("UPDATE groups SET deleted = true WHERE group_id = '~near'")
		unchanged("a group that was deleted", "amy ~near", "zoe ~far")

		f.aheadBy(2*time.Hour, "~far")
		expect("a group that is ahead", f.storeFast("zoe ~far"))
		f.execute("DELETE FROM mailboxes WHERE user_id = 'dan'")
		expect("a member without a mailbox", f.storeFast("bob ~team"))
	})
}

// TestStoreFastUnsupported sends to a group on a server that does not support that in one statement: it is not tried again, and sends to
// users are still one statement.
func TestStoreFastUnsupported(t *testing.T) {
	t.Parallel()
	f := fastGroups(t, db.Postgres)
	f.execute("ALTER FUNCTION stamp_mailboxes RENAME TO other")
	f.storeFast("amy ~near")
	f.execute("ALTER FUNCTION other RENAME TO stamp_mailboxes")
	if stored := f.storeFast("amy ~near"); len(stored) > 0 {
		t.Error("it is tried again")
	}
	if f.engine.fastPath() == nil {
		t.Error("sends to users take the path of the rules")
	}
}

// aheadBy sets the clock of a mailbox to a later time.
func (f *inGroups) aheadBy(d time.Duration, owner string) {
	f.t.Helper()
	fast := mailbox.New(f.db, mailbox.Options{Now: func() time.Time { return time.Now().Add(d) }, Waiting: 1, Publish: func([]string) {}})
	if err := fast.Change(f.t.Context(), []string{owner}, func(context.Context, *sqlx.Tx, ID) error { return nil }); err != nil {
		f.t.Fatal(err)
	}
}

// TestStampMailboxes has the fast path wait for the lock of the first of two mailboxes: it has not locked the second one, although that
// comes first in the table, whether the planner knows of few mailboxes or of many, and although the session forbids the plan that it needs.
func TestStampMailboxes(t *testing.T) {
	t.Parallel()
	for _, others := range []int{0, 20, 10_000} {
		t.Run(strconv.Itoa(others), func(t *testing.T) {
			t.Parallel()
			f := newInGroups(t, db.Postgres)
			ids := f.mailboxes.NewIDs(2)
			f.execute("INSERT INTO mailboxes (user_id, clock) SELECT user_id, '" + ids[0].String() + "'::uuid FROM (" +
				"SELECT 'zoe' UNION ALL SELECT 'amy' UNION ALL SELECT 'other-' || n FROM generate_series(1, " + strconv.Itoa(others) + ") AS n) AS made (user_id)")
			f.execute("ANALYZE mailboxes")
			done, free := make(chan error, 1), []string(nil)
			f.tx(func(ctx context.Context, tx *sqlx.Tx) error {
				if _, err := tx.ExecContext(ctx, "SELECT FROM mailboxes WHERE user_id = 'amy' FOR UPDATE"); err != nil {
					return err
				}
				go func() {
					done <- f.db.Tx(ctx, time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
						if _, err := tx.ExecContext(ctx, "SET LOCAL enable_nestloop = off; SET LOCAL enable_indexscan = off"); err != nil {
							return err
						}
						_, err := tx.ExecContext(ctx, "SELECT stamp_mailboxes('{amy,zoe}', array_fill($1::uuid, '{2}'), '{1,1}', $1)", ids[1])
						return err
					})
				}()
				untilLocked(t, f.Service, done)
				return tx.SelectContext(ctx, &free, "SELECT user_id FROM mailboxes WHERE user_id = 'zoe' FOR UPDATE SKIP LOCKED")
			})
			if err := <-done; err != nil || len(free) == 0 {
				t.Errorf("%v; %v is not locked", err, free)
			}
			if at := f.mailboxesAt(ids[1]); at != "amy 0 1, zoe 0 1" {
				t.Errorf("it has set %s", at)
			}
		})
	}
}

// TestStampMailboxesOfMoreUsers stamps the only two mailboxes, and again after there are many more, of which the planner has not heard: a
// connection keeps its plan, which must not read those.
func TestStampMailboxesOfMoreUsers(t *testing.T) {
	t.Parallel()
	f := newInGroups(t, db.Postgres)
	id := f.mailboxes.NewIDs(1)[0].String()
	insert := "INSERT INTO mailboxes (user_id, clock) SELECT user_id, '" + id + "' FROM "
	f.execute(insert + "unnest('{amy,zoe}'::text[]) AS made (user_id)")
	f.execute("ANALYZE mailboxes")
	read := 0
	f.tx(func(ctx context.Context, tx *sqlx.Tx) error {
		stamp := "SELECT stamp_mailboxes('{amy,zoe}', array_fill('" + id + "'::uuid, '{2}'), '{1,1}', '" + id + "')"
		for _, statement := range []string{stamp, insert + "(SELECT 'other-' || n FROM generate_series(1, 1000) AS n) AS made (user_id)", stamp} {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		return tx.GetContext(ctx, &read, "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relid = 'mailboxes'::regclass")
	})
	if read != 4 {
		t.Errorf("to stamp two mailboxes twice, it has read %d", read)
	}
}

// TestStoreFastInGroupsWrites checks what the fast path writes beside messages: clocks, counts and last messages.
func TestStoreFastInGroupsWrites(t *testing.T) {
	t.Parallel()
	f := fastGroups(t, db.Postgres)
	f.execute("UPDATE mailboxes SET own_changes = 0, group_changes = 0")
	f.published = nil
	batch := []*send{f.draft("amy", "~near", ""), f.draft("amy", "~team", ""), f.draft("bob", "~near", ""), f.draft("bob", "~near", "")}
	if rest, err := f.sends.storeFastInGroups(batch); err != nil || len(rest) > 0 {
		t.Fatal(rest, err)
	}
	near, team := batch[3].message.ID, batch[1].message.ID
	if last := f.lastMessage("~near"); last == nil || *last != near {
		t.Errorf("the last message is %v, want %s", last, near)
	}
	if last := f.lastMessage("~team"); last == nil || *last != team {
		t.Errorf("the last message is %v, want %s", last, team)
	}
	if at, want := f.mailboxesAt(near), "~near 0 3"; at != want {
		t.Errorf("at the last message of the first group: %s, want %s", at, want)
	}
	if at, want := f.mailboxesAt(team), "amy 0 4, bob 0 4, cat 0 4, dan 0 1, ~team 0 1"; at != want {
		t.Errorf("at the last message of the second group: %s, want %s", at, want)
	}
	if len(f.published) != 1 || strings.Join(f.published[0], " ") != "~near ~team ~near ~near" {
		t.Errorf("published %v", f.published)
	}
}

// TestSendToGroupsInOrder sends a batch of which some need the rules: the messages of each group are stored in the order of the batch.
func TestSendToGroupsInOrder(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		f := fastGroups(t, engine)
		first := f.mustSend("amy", "~near")
		reply := newSend(Draft{Sender: "bob", Recipient: "~near", Text: "x", ReplyTo: &first.ID})
		batch := []*send{f.draft("amy", "~near", ""), f.draft("amy", "~team", ""), reply, f.draft("zoe", "~near", ""), f.draft("cat", "~near", "")}
		if failed, err := f.sends.writeToGroups(batch); err != nil || len(failed) > 0 {
			t.Fatal(failed, err)
		}
		for i, s := range batch {
			if s.isStored() != (i != 3) {
				t.Errorf("send %d has the outcome %+v", i, s.outcome)
			}
		}
		if a, b, c := batch[0].message.ID, batch[2].message.ID, batch[4].message.ID; a.Compare(b) >= 0 || b.Compare(c) >= 0 {
			t.Errorf("stored as %s, %s, %s", a, b, c)
		}
	})
}

// TestSendToGroupAtOnce counts the statements of sends to a group whose members are remembered: each is one. A server that does
// not know them reads them first. After a send that finds a mailbox ahead, the next ones take the path of the rules.
func TestSendToGroupAtOnce(t *testing.T) {
	t.Parallel()
	service, recorder := newRecorded(t, db.Postgres)
	f := &inGroups{Service: service, t: t}
	f.group("~team", "amy", "bob")
	f.mustSend("amy", "~team")
	expect := func(what string, atOnce bool) {
		t.Helper()
		if statements := recorder.during(func() { f.mustSend("bob", "~team") }); (len(statements) == 1) != atOnce {
			t.Errorf("%s: a send takes %d statements: %v", what, len(statements), statements)
		}
	}
	expect("at first", true)
	expect("again", true)
	other := &inGroups{Service: New(f.db, Options{}), t: t}
	defer other.Close(t.Context())                                                                      //nolint:errcheck // nothing waits
	if statements := recorder.during(func() { other.mustSend("bob", "~team") }); len(statements) != 4 { // whether bob is a member, the group, its members, and that
		t.Errorf("to a group that is not known yet, a send takes %d statements: %v", len(statements), statements)
	}
	f.aheadBy(time.Minute, "amy")
	expect("with one ahead", false)
	f.execute("UPDATE mailboxes SET clock = '" + f.mailboxes.NewIDs(1)[0].String() + "'")
	for range carefulFor {
		expect("soon after one was ahead", false)
	}
	expect("later", true)
}
