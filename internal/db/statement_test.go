package db_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
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
