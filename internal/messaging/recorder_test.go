package messaging

import (
	"context"
	"database/sql/driver"
	"strings"
	"sync"
	"testing"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// recorder records the statements that a database runs.
type recorder struct {
	mu   sync.Mutex
	list []recorded
}

type recorded struct {
	text string
	args []any
}

func (r *recorder) trace(statement string, parameters []driver.NamedValue) {
	if strings.HasPrefix(statement, "PRAGMA") { // of a checkpoint
		return
	}
	args := make([]any, len(parameters))
	for i, p := range parameters {
		args[i] = p.Value
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.list = append(r.list, recorded{strings.TrimSpace(statement), args})
}

// during returns the statements that run while fn does.
func (r *recorder) during(fn func()) []recorded {
	r.mu.Lock()
	r.list = nil
	r.mu.Unlock()
	fn()
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.list
}

// newRecorded makes a service on a new database whose statements are recorded.
func newRecorded(t *testing.T, engine db.Engine) (*Service, *recorder) {
	t.Helper()
	var r recorder
	database := dbtest.Connect(t, dbtest.NewURL(t, engine), db.Options{Trace: r.trace})
	if _, err := database.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	service := New(database, Options{})
	t.Cleanup(func() {
		if err := service.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return service, &r
}
