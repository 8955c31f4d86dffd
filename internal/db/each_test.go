package db_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// numbers counts from 1 to its parameter.
const numbers = "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < $1) SELECT n, "

// failsAt1000 are expressions that fail in the row of 1,000.
var failsAt1000 = map[db.Engine]string{db.Postgres: "1 / (n - 1000)", db.SQLite: "abs(-9223372036854775807 - (n = 1000))"}

// TestEach reads rows by prepared and unprepared statements, in and outside a transaction: all of them; until there are
// enough; until the function fails; and until the query does.
func TestEach(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		url, query := dbtest.NewURL(t, engine), numbers+failsAt1000[engine]+" FROM numbers"
		database, found := dbtest.Connect(t, url, db.Options{MaxConnections: 4}), 0
		if err := database.Tx(t.Context(), time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
			return db.Each(ctx, tx, func([]driver.Value) (bool, error) {
				found++
				return false, nil
			}, query, 5)
		}); err != nil || found != 5 {
			t.Errorf("%d rows in a transaction, want 5; the error is %v", found, err)
		}
		unprepared := dbtest.Connect(t, url, db.Options{MaxConnections: 4, Unprepared: true})
		for _, database := range []*db.DB{database, unprepared} {
			if err := database.Read(t.Context(), func(ctx context.Context, q sqlx.QueryerContext) error {
				checkEach(ctx, t, q, query)
				checkEach(db.WithCustomPlan(ctx), t, q, query)
				return nil
			}); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestEachUnknown reads by a connection that is none of this package, and so gives database/sql the rows.
func TestEachUnknown(t *testing.T) {
	t.Parallel()
	plain, err := sqlx.Open(string(db.SQLite), ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close() //nolint:errcheck // nothing is in it
	if err := db.Each(t.Context(), plain, func([]driver.Value) (bool, error) { return false, nil }, "SELECT 1"); err == nil {
		t.Error("it reports no error although it has read nothing")
	}
}

func checkEach(ctx context.Context, t *testing.T, q sqlx.QueryerContext, query string) {
	t.Helper()
	var found []int64
	errEnough := errors.New("enough")
	read := func(most int, end error) func([]driver.Value) (bool, error) {
		found = nil
		return func(row []driver.Value) (bool, error) {
			found = append(found, row[0].(int64))
			if len(found) < most {
				return false, nil
			}
			return true, end
		}
	}
	for name, c := range map[string]struct {
		rows, most, want int
		end              error
		fails            bool
	}{
		"all":                 {rows: 900, most: 2000, want: 900},
		"enough":              {rows: 900, most: 3, want: 3},
		"the function failed": {rows: 900, most: 3, want: 3, end: errEnough},
		"the query failed":    {rows: 1100, most: 2000, want: 999, fails: true},
	} {
		err := db.Each(ctx, q, read(c.most, c.end), query, c.rows)
		if !errors.Is(err, c.end) && !c.fails || (err != nil) != (c.fails || c.end != nil) {
			t.Errorf("%s: the error is %v", name, err)
		}
		if len(found) != c.want || !slices.IsSorted(found) {
			t.Errorf("%s: %d rows, want %d", name, len(found), c.want)
		}
	}
}
