package db_test

import (
	"context"
	"errors"
	"testing"

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
