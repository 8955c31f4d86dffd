package messaging

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// TestEraseRest erases a user while a message of a new peer waits to be stored. SQLite has one
// writer, so nothing can be stored between finding the peers and erasing: the first attempt must
// succeed. Else a user could not be erased while others keep sending to them.
func TestEraseRest(t *testing.T) {
	t.Parallel()
	url := dbtest.NewURL(t, db.SQLite)
	synctest.Test(t, func(t *testing.T) {
		service := New(dbtest.Open(t, url), Options{})
		defer service.Close(t.Context()) //nolint:errcheck // nothing waits
		release, sent, done := make(chan struct{}), make(chan error, 1), make(chan bool, 1)
		go service.db.Tx(t.Context(), time.Minute, func(context.Context, *sqlx.Tx) error { //nolint:errcheck // it does nothing
			<-release
			return nil
		})
		synctest.Wait()
		go func() {
			_, _, err := service.Send(t.Context(), AsService, Draft{Sender: "stranger", Recipient: "bob", Text: "x"})
			sent <- err
		}()
		synctest.Wait()
		go func() {
			e := erasure{service: service, user: "bob"}
			isDone, err := e.eraseRest(t.Context())
			done <- isDone && err == nil
		}()
		synctest.Wait()
		close(release)
		if err := <-sent; err != nil {
			t.Errorf("send: %v", err)
		}
		if !<-done {
			t.Error("the first attempt has not erased everything")
		}
		page, err := service.List(t.Context(), AsService, Query{Recipient: "bob", Window: Window{Limit: 1}})
		if err != nil || len(page.Messages) > 0 {
			t.Errorf("left %v: %v", page.Messages, err)
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
		if done, err := e.eraseRest(t.Context()); !done || err != nil {
			t.Fatalf("erased %t: %v", done, err)
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
