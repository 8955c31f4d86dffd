package messaging

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// TestFill indexes a store by two servers, one after the other, of which the first stops in between.
func TestFill(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		service := New(dbtest.Open(t, dbtest.NewURL(t, engine)), Options{})
		defer service.Close(t.Context()) //nolint:errcheck // nothing waits
		step := func(mailboxes int, done bool) {
			t.Helper()
			f := fill{indexer: service.indexer}
			if err := f.step(t.Context()); err != nil || f.count != mailboxes || f.done != done {
				t.Errorf("%d mailboxes, done %t, want %d, %t: %v", f.count, f.done, mailboxes, done, err)
			}
		}
		step(0, true) // the store is empty, and may be imported later

		first := newIndexed(t, service, "first", "one", "two", "three")
		err := service.db.Tx(t.Context(), time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
			for i := range fillBatch {
				if _, err := tx.ExecContext(ctx, "INSERT INTO mailboxes (user_id, clock) VALUES ($1, $2)", fmt.Sprint("g", i), first.messages[0].ID); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		last := newIndexed(t, service, "last", "one", "two", "three")
		step(fillBatch, false)
		first.expect("one", first.messages[0].ID)
		last.expect("one")
		step(6, true) // those of last and its peers, and three more
		last.expect("one", last.messages[0].ID)
		step(0, true)
	})
}

// panicsOnce is an engine with which the first step of an indexer panics.
type panicsOnce struct {
	engine

	panicked bool
}

func (p *panicsOnce) merged(a, b, order string) string {
	if !p.panicked {
		p.panicked = true
		panic("a mailbox")
	}
	return p.engine.merged(a, b, order)
}

// TestFillPassesPanic indexes a store in which the first mailbox makes the indexer panic.
func TestFillPassesPanic(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		service := New(dbtest.Open(t, dbtest.NewURL(t, engine)), Options{})
		defer service.Close(t.Context()) //nolint:errcheck // nothing waits
		first := newIndexed(t, service, "a", "one", "two", "three")
		next := newIndexed(t, service, "b", "one", "two", "three")
		f := fill{indexer: newIndexer(service.db, &panicsOnce{engine: service.engine}, service.indexer.log)}
		if err := f.step(t.Context()); err != nil || !f.done {
			t.Errorf("done %t: %v", f.done, err)
		}
		first.expect("one")
		next.expect("one", next.messages[0].ID)
	})
}

// TestFillPassesDamage indexes a store in which the index of the first mailbox is damaged.
func TestFillPassesDamage(t *testing.T) {
	service := New(dbtest.Open(t, dbtest.NewURL(t, db.SQLite)), Options{})
	defer service.Close(t.Context()) //nolint:errcheck // nothing waits
	damaged := newIndexed(t, service, "a", "one", "two", "three")
	if err := service.indexer.catchUp(t.Context(), damaged.owner); err != nil {
		t.Fatal(err)
	}
	err := service.db.Tx(t.Context(), time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE search_segments SET version = 0, directory = x'ffff'")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	next := newIndexed(t, service, "b", "one", "two", "three")
	f := fill{indexer: service.indexer}
	if err := f.step(t.Context()); err != nil || !f.done {
		t.Errorf("done %t: %v", f.done, err)
	}
	next.expect("one", next.messages[0].ID)
}
