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
			_, _, err := service.Send(t.Context(), Draft{Sender: "stranger", Recipient: "bob", Text: "x"})
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
		page, err := service.List(t.Context(), Query{Recipient: "bob", Window: Window{Limit: 1}})
		if err != nil || len(page.Messages) > 0 {
			t.Errorf("left %v: %v", page.Messages, err)
		}
	})
}
