package db_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// TestLoadInterrupted interrupts a load after its last statement, and commits it before or after database/sql has rolled it
// back. Either way the error does not say that the outcome is unknown.
func TestLoadInterrupted(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		database := dbtest.Open(t, dbtest.NewURL(t, engine))
		for _, rolledBack := range []bool{false, true} {
			ctx, interrupt := context.WithCancel(t.Context())
			err := database.Load(ctx, "conversations", func(ctx context.Context, tx *sqlx.Tx) error {
				interrupt()
				for err := error(nil); rolledBack && err == nil; {
					_, err = tx.ExecContext(context.WithoutCancel(ctx), "SELECT 1")
				}
				return nil
			})
			if !errors.Is(err, context.Canceled) || errors.Is(err, db.ErrUnavailable) {
				t.Errorf("rolled back before: %t: %v", rolledBack, err)
			}
		}
	})
}

// TestLoadWaitsForNoLock loads one table while an index of another is made. That waits for every snapshot of the database, so
// gathering statistics, with one, must not wait for it.
func TestLoadWaitsForNoLock(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("SQLite has no such locks")
	}
	url := dbtest.NewDatabase(t, "LOCALE 'C'") // whose tables no other test locks
	database, other := dbtest.Open(t, url), dbtest.Open(t, url)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err := other.Load(t.Context(), "blocks", func(otherCtx context.Context, tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(otherCtx, "LOCK TABLE messages IN SHARE UPDATE EXCLUSIVE MODE"); err != nil { // as CREATE INDEX CONCURRENTLY does
			return err
		}
		return database.Load(ctx, "conversations", func(context.Context, *sqlx.Tx) error { return nil })
	})
	if err != nil || ctx.Err() != nil {
		t.Fatalf("it waited: %v, %v", err, ctx.Err())
	}
	var gathered bool
	err = database.Read(t.Context(), func(ctx context.Context, q sqlx.QueryerContext) error {
		return sqlx.GetContext(ctx, q, &gathered, "SELECT reltuples >= 0 FROM pg_class WHERE oid = 'conversations'::regclass")
	})
	if err != nil || !gathered {
		t.Errorf("there are statistics: %t, %v", gathered, err)
	}
}
