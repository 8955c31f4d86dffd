package identity

import (
	"context"
	"database/sql/driver"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// TestLookups has many tickets looked up that were never made, while the database answers slowly: others can read.
func TestLookups(t *testing.T) {
	t.Parallel()
	var most, now atomic.Int64
	begun, answer := make(chan struct{}, 100), make(chan struct{})
	database := dbtest.Connect(t, dbtest.NewURL(t, db.Postgres), db.Options{MaxConnections: 10, Trace: func(statement string, _ []driver.NamedValue) {
		if strings.Contains(statement, "FROM stream_tickets WHERE hash") {
			most.Store(max(most.Load(), now.Add(1)))
			begun <- struct{}{}
			<-answer
			now.Add(-1)
		}
	}})
	if _, err := database.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	s, err := New(t.Context(), database, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var asking sync.WaitGroup
	for range 50 {
		asking.Go(func() {
			if _, err := s.AuthenticateTicket(t.Context(), ticketPrefix+random(secretDigits), "alice"); err != errInvalid { //nolint:errorlint // that very error
				t.Errorf("answered %v", err)
			}
		})
	}
	for range maxLookups {
		<-begun
	}
	read := func(ctx context.Context, q sqlx.QueryerContext) error {
		_, err := selectVersion(ctx, q, db.Postgres)
		return err
	}
	if err := database.Read(t.Context(), read); err != nil {
		t.Errorf("another request: %v", err)
	}
	close(answer)
	asking.Wait()
	if n := most.Load(); n > maxLookups {
		t.Errorf("%d tickets were looked up at a time", n)
	}
}
