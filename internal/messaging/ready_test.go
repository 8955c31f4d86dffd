package messaging

import (
	"database/sql/driver"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/panics"
)

// TestReadyShared asks whether the service is ready while a probe waits for the database: nobody begins another one, which
// would wait for the same connection long after that.
func TestReadyShared(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		var probes atomic.Int64
		answer := make(chan struct{})
		database := dbtest.Connect(t, dbtest.NewURL(t, engine), db.Options{Trace: func(statement string, _ []driver.NamedValue) {
			if strings.Contains(statement, "FROM messages LIMIT 1") {
				probes.Add(1)
				<-answer
			}
		}})
		if _, err := database.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		s := New(database, Options{SearchOff: true})
		t.Cleanup(func() { _ = s.Close(t.Context()) })
		var asking sync.WaitGroup
		for range 20 {
			asking.Go(func() {
				if err := s.Ready(t.Context()); err == nil {
					t.Error("it is ready, and the database has not answered")
				}
			})
		}
		asking.Wait()
		close(answer)
		if err := s.Ready(t.Context()); err != nil {
			t.Errorf("the database has answered: %v", err)
		}
		if n := probes.Load(); n > 2 {
			t.Errorf("%d probes", n)
		}
	})
}

// TestReadyPanics has the probe panic, in a goroutine that those who ask share.
func TestReadyPanics(t *testing.T) {
	t.Parallel()
	s := &Service{db: &db.DB{}} // without a database
	if err := s.Ready(t.Context()); !errors.Is(err, panics.Err) {
		t.Error(err)
	}
}
