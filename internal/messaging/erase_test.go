package messaging

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/mailbox"
)

// TestEraseClosed stops an erasure of bob between two transactions: until it is repeated, messages to and by
// him are refused, and those of others are stored.
func TestEraseClosed(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		service := New(dbtest.Open(t, dbtest.NewURL(t, engine)), Options{})
		defer service.Close(t.Context()) //nolint:errcheck // nothing waits
		sent := 0
		send := func(sender, recipient string) error {
			sent++
			_, _, err := service.Send(t.Context(), AsService, Draft{Sender: sender, Recipient: recipient, Text: "x", IdempotencyKey: fmt.Sprint(sent)})
			return err
		}
		for range eraseBatch + 1 {
			if err := send("alice", "bob"); err != nil {
				t.Fatal(err)
			}
		}
		stopping, stop := context.WithCancel(t.Context())
		defer stop()
		service.mailboxes = mailbox.New(service.db, mailbox.Options{Now: time.Now, Waiting: 1, Publish: func(owners []string) {
			if len(owners) > 1 { // not when the mailbox is closed
				stop()
			}
		}})
		if err := service.EraseUser(stopping, AsService, "bob"); !errors.Is(err, context.Canceled) {
			t.Fatalf("stopped: %v", err)
		}
		var closed *Error
		for _, users := range [][2]string{{"alice", "bob"}, {"bob", "alice"}, {"bob", "bob"}} {
			if err := send(users[0], users[1]); !errors.As(err, &closed) || closed.Code != UserClosed {
				t.Errorf("from %s to %s: %v", users[0], users[1], err)
			}
		}
		if err := send("alice", "carol"); err != nil {
			t.Errorf("between others: %v", err)
		}
		if err := service.EraseUser(t.Context(), AsService, "bob"); err != nil {
			t.Fatal(err)
		}
		page, err := service.List(t.Context(), AsService, Query{Recipient: "bob", Window: Window{Limit: 1}})
		if err != nil || len(page.Messages) > 0 {
			t.Errorf("left %v: %v", page.Messages, err)
		}
		if err := send("alice", "bob"); err != nil {
			t.Errorf("afterwards: %v", err)
		}
	})
}

// TestEraseIndexed erases a user whose messages are indexed again meanwhile, as by a search. Nothing of the
// index may be left.
func TestEraseIndexed(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		service := New(dbtest.Open(t, dbtest.NewURL(t, engine)), Options{})
		defer service.Close(t.Context()) //nolint:errcheck // nothing waits
		s := newIndexed(t, service, "bob", "one", "two", "three")
		e := erasure{service: service, user: s.owner}
		if err := s.indexer.catchUp(t.Context(), s.owner); err != nil {
			t.Fatal(err)
		}
		if err := e.takeIndexBack(t.Context()); err != nil {
			t.Fatal(err)
		}
		s.expect("one")
		if err := s.indexer.catchUp(t.Context(), s.owner); err != nil {
			t.Fatal(err)
		}
		s.expect("one", s.messages[0].ID)
		if err := errors.Join(e.eraseMost(t.Context()), e.finish(t.Context())); err != nil {
			t.Fatal(err)
		}
		for _, table := range []string{"search_indexes", "search_segments", "search_blocks"} {
			var left int
			s.read(func(ctx context.Context, q sqlx.QueryerContext) error {
				return sqlx.GetContext(ctx, q, &left, "SELECT count(*) FROM "+table+" WHERE owner = $1", s.owner)
			})
			if left > 0 {
				t.Errorf("%d rows of %s are left", left, table)
			}
		}
	})
}
