package db_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"net"
	"os"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/panics"
)

// TestStatementLost has Postgres end the connection of a statement that is its own transaction: it is not run again,
// since it may be committed.
func TestStatementLost(t *testing.T) {
	t.Parallel()
	runs := 0
	database := dbtest.Connect(t, dbtest.NewURL(t, db.Postgres), db.Options{MaxConnections: 4, Trace: func(string, []driver.NamedValue) { runs++ }})
	err := database.Statement(t.Context(), time.Minute, func(ctx context.Context, q sqlx.QueryerContext) error {
		return sqlx.GetContext(ctx, q, new(bool), "SELECT pg_terminate_backend(pg_backend_pid()) AND pg_sleep($1) IS NULL", 10)
	})
	if !errors.Is(err, db.ErrUnavailable) || !db.IsLost(err) || runs != 1 {
		t.Errorf("it ran %d times: %v", runs, err)
	}
}

// TestIsLost checks of which errors it is unknown what was done: of all but those that the database has answered, timeouts, and
// those of statements that were never sent.
func TestIsLost(t *testing.T) {
	t.Parallel()
	nowhere, err := db.Open("postgres://127.0.0.1:1/x?sslmode=disable", db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer nowhere.Close() //nolint:errcheck // it has no connection
	unsent := nowhere.Statement(t.Context(), time.Minute, func(context.Context, sqlx.QueryerContext) error { panic("it is connected") })
	for name, test := range map[string]struct {
		err  error
		want bool
	}{
		"none":                  {nil, false},
		"refused":               {&pq.Error{Code: pqerror.UniqueViolation}, false},
		"too slow":              {os.ErrDeadlineExceeded, false},
		"too slow, by context":  {context.DeadlineExceeded, false},
		"the connection broke":  {driver.ErrBadConn, true},
		"no server":             {unsent, false},
		"reset":                 {&net.OpError{Op: "read", Err: errors.New("reset")}, true},
		"a panic of the driver": {panics.Of("over an answer"), true},
		"no answer of Postgres": {errors.New("pq: unexpected message after execute: 'x'"), true}, // as pq has it
	} {
		if db.IsLost(test.err) != test.want {
			t.Errorf("%s: %t, want %t", name, !test.want, test.want)
		}
	}
}
