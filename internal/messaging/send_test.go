package messaging

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/mailbox"
)

// TestStoreBatch takes the fast path with messages that a rule may concern, and with others: it
// stores only the others, and none on an engine without a fast path.
func TestStoreBatch(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		database := dbtest.Open(t, dbtest.NewURL(t, engine))
		service := New(database, Options{})
		defer service.Close(t.Context()) //nolint:errcheck // nothing waits
		sent := 0
		// store stores messages, each written "sender recipient" or "sender recipient key", and
		// returns which of them it has stored.
		store := func(drafts ...string) (stored []int) {
			t.Helper()
			messages := make([]*StoredMessage, len(drafts))
			for i, id := range service.mailboxes.NewIDs(len(drafts)) {
				sent++
				d := Draft{Text: "x", IdempotencyKey: fmt.Sprint(sent)}
				fmt.Sscan(drafts[i], &d.Sender, &d.Recipient, &d.IdempotencyKey) //nolint:errcheck // the key may be missing
				m := d.stored()
				m.ID, messages[i] = id, &m
			}
			path := service.engine.fastPath()
			if path == nil {
				return nil
			}
			ids, _, err := path.storeBatch(t.Context(), messages, nil)
			if err != nil {
				t.Fatal(err)
			}
			for i, m := range messages {
				if slices.Contains(ids, m.ID) {
					stored = append(stored, i)
				}
			}
			return stored
		}
		expect := func(what string, stored []int, want ...int) {
			t.Helper()
			if engine != db.Postgres {
				want = nil
			}
			if !slices.Equal(stored, want) {
				t.Errorf("%s: stored %v, want %v", what, stored, want)
			}
		}
		execute := func(statement string) {
			t.Helper()
			err := database.Tx(t.Context(), time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
				_, err := tx.ExecContext(ctx, statement)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		expect("plain", store("ann bob", "bob ann", "carl carl"), 0, 1, 2)
		expect("a key that is taken", store("ann bob key", "ann bob key", "ann carl key"), 0, 2)
		expect("and again", store("ann bob key", "bob ann key"), 1)

		if err := service.BlockUser(t.Context(), AsService, "dora", "zoe"); err != nil {
			t.Fatal(err)
		}
		expect("a user who blocks somebody", store("ann bob", "ann dora"))
		if err := service.UnblockUser(t.Context(), AsService, "dora", "zoe"); err != nil {
			t.Fatal(err)
		}
		expect("or has", store("dora ann"))
		e := erasure{service: service, user: "eve"}
		if err := e.close(t.Context()); err != nil {
			t.Fatal(err)
		}
		expect("a user who is being erased", store("ann bob", "ann eve"))
		expect("and again", store("eve ann"))

		expect("a user before they are erased", store("gone gone"), 0)
		execute("UPDATE mailboxes SET closed = true WHERE user_id = 'gone'")
		expect("a user who is being erased", store("ann bob", "ann gone"))

		fast := mailbox.New(database, mailbox.Options{Now: func() time.Time { return time.Now().Add(time.Hour) }, Waiting: 1, Publish: func([]string) {}})
		err := fast.Change(t.Context(), []string{"fred"}, func(context.Context, *sqlx.Tx, ID) error { return nil })
		if err != nil {
			t.Fatal(err)
		}
		expect("a mailbox that is ahead", store("ann bob", "fred bob"))
		expect("the others", store("ann bob"), 0)

		execute("UPDATE mailboxes SET own_changes = 10, group_changes = 10")
		expect("what mailboxes count", store("ann carl", "ann carl"), 0, 1)
		var counts []struct {
			Own    int `db:"own_changes"`
			Groups int `db:"group_changes"`
		}
		read(t, service, func(ctx context.Context, q sqlx.QueryerContext) error {
			return sqlx.SelectContext(ctx, q, &counts, "SELECT own_changes, group_changes FROM mailboxes WHERE user_id IN ('ann', 'carl')")
		})
		for _, c := range counts {
			if engine == db.Postgres && c.Own != 11 || c.Groups != 10 {
				t.Errorf("two messages in a batch: counted %v, want 1 more own change", counts)
			}
		}
	})
}

// TestNeedsRules lists the drafts that never take the fast path.
func TestNeedsRules(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		draft Draft
		want  bool
	}{
		{Draft{IdempotencyKey: "key"}, false},
		{Draft{}, false},
		{Draft{ReplyTo: &ID{}}, true},
	} {
		if s := (&send{draft: test.draft.stored()}); s.needsRules() != test.want {
			t.Errorf("%+v needs the rules: %t", test.draft, s.needsRules())
		}
	}
	if s := (&send{tried: ID{1}}); !s.needsRules() {
		t.Error("a send that may be stored already does not need the rules")
	}
}

// storesFirst stores the first message of a batch.
type storesFirst struct{ fastPath }

func (storesFirst) storeBatch(_ context.Context, messages []*StoredMessage, _ []string) ([]ID, map[string]Position, error) {
	return []ID{messages[0].ID}, nil, nil
}

// TestStoreFastAgain takes sends again that a transaction had stored before it failed: what was
// not stored this time counts as stored no more, and is not published.
func TestStoreFastAgain(t *testing.T) {
	service := New(dbtest.Open(t, dbtest.NewURL(t, db.SQLite)), Options{})
	defer service.Close(t.Context()) //nolint:errcheck // nothing waits
	w := &sends{mailboxes: service.mailboxes, followed: func([]string) []string { return nil }}
	batch := []*send{{}, {}}
	for _, s := range batch {
		s.message = &s.draft.Message
	}
	rest, _, err := w.storeFast(storesFirst{}, batch)
	if err != nil || !slices.Equal(rest, batch[1:]) || batch[0].message == nil || batch[1].message != nil {
		t.Errorf("%v are left, with %v: %v", rest, batch[1].message, err)
	}
}
