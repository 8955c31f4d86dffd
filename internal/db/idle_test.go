package db_test

import (
	"context"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// TestIdleEnds checks that Postgres ends the transactions of a server that is frozen, but neither those of an
// import, which may wait for its input, nor a connection that waits in the pool.
func TestIdleEnds(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		if engine != db.Postgres {
			t.Skip("SQLite's locks end with the process, and nobody else waits for them")
		}
		database := dbtest.Open(t, dbtest.NewURL(t, engine))
		idle := func(ctx context.Context, q sqlx.QueryerContext) (limit string) {
			if err := sqlx.GetContext(ctx, q, &limit, "SHOW idle_in_transaction_session_timeout"); err != nil {
				t.Error(err)
			}
			return limit
		}
		err := database.Tx(t.Context(), time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
			if limit := idle(ctx, tx); limit != "5s" {
				t.Errorf("a transaction may be idle for %s", limit)
			}
			return nil
		})
		if err == nil {
			err = database.Load(t.Context(), "messages", func(ctx context.Context, tx *sqlx.Tx) error {
				if limit := idle(ctx, tx); limit != "0" {
					t.Errorf("an import may be idle for %s only", limit)
				}
				return nil
			})
		}
		if err != nil {
			t.Fatal(err)
		}
	})
}
