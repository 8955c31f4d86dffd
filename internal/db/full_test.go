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

// TestFull has writes fail for lack of disk space. The database cannot be written to then, though a probe, which needs less
// space, could; it can again when that was some seconds ago.
func TestFull(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		database := dbtest.Open(t, dbtest.NewURL(t, engine))
		in := func(write func(context.Context, time.Duration, func(context.Context, *sqlx.Tx) error) error) error {
			return write(t.Context(), time.Minute, func(ctx context.Context, tx *sqlx.Tx) (err error) {
				if engine == db.Postgres {
					_, err = tx.ExecContext(ctx, "DO $$ BEGIN RAISE disk_full; END $$")
				} else if _, err = tx.ExecContext(ctx, "PRAGMA max_page_count = 1"); err == nil { // no more than there are
					_, err = tx.ExecContext(ctx, "CREATE TABLE large AS SELECT zeroblob(1000000)")
				}
				return err
			})
		}
		writes := map[string]func() error{
			"a change": func() error { return in(database.Tx) },
			"a send":   func() error { return in(database.Add) },
		}
		if engine == db.Postgres {
			writes["a statement"] = func() error {
				return database.Statement(t.Context(), time.Minute, func(ctx context.Context, q sqlx.QueryerContext) error {
					return q.QueryRowxContext(ctx, "DO $$ BEGIN RAISE disk_full; END $$").Err()
				})
			}
		}
		for name, write := range writes {
			if err := write(); !errors.Is(err, db.ErrUnavailable) {
				t.Fatalf("%s: %v", name, err)
			}
			if err := database.Probe(t.Context(), database.Writable); !errors.Is(err, db.ErrUnavailable) {
				t.Errorf("after %s it can be written to: %v", name, err)
			}
			database.LetFullPass()
			if err := database.Probe(t.Context(), database.Writable); err != nil {
				t.Errorf("some seconds after %s: %v", name, err)
			}
		}
	})
}
