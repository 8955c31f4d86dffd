package db_test

import (
	"context"
	"database/sql/driver"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// TestBatches cuts batches of many sizes for SQLite: they need few statements, which have all rows in their order.
func TestBatches(t *testing.T) {
	t.Parallel()
	texts := map[string]bool{}
	database := dbtest.Connect(t, dbtest.NewURL(t, db.SQLite), db.Options{Trace: func(text string, parameters []driver.NamedValue) {
		if len(parameters) > 0 {
			texts[text] = true
		}
	}})
	err := database.Add(t.Context(), time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
		for n := range 200 {
			rows := make([]any, n)
			for i := range rows {
				rows[i] = strconv.Itoa(i)
			}
			ctx, batches := db.Batches(ctx, tx.DriverName(), rows, n)
			var got []any
			for some := range batches {
				var values []string
				if err := tx.SelectContext(ctx, &values, "VALUES "+db.RowsOf(len(some), "(?)"), some...); err != nil {
					return err
				}
				for _, value := range values {
					got = append(got, value)
				}
			}
			if !slices.Equal(got, rows) {
				t.Errorf("%d rows became %v", n, got)
			}
		}
		return nil
	})
	if err != nil || len(texts) != 7 {
		t.Errorf("there were %d statements (%v)", len(texts), err)
	}
}
