package db_test

import (
	"context"
	"strconv"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
)

// TestPreparedStatements looks which statements a connection to Postgres keeps: those with
// few parameters, so many of them, and none if that is not wanted.
func TestPreparedStatements(t *testing.T) {
	t.Parallel()
	url := apitest.NewDatabaseURL(t, db.Postgres)
	for unprepared, want := range map[bool]int{false: 128, true: 0} {
		database, err := db.Open(url, db.Options{MaxConnections: 1, Unprepared: unprepared})
		if err != nil {
			t.Fatal(err)
		}
		defer database.Close() //nolint:errcheck // the test is over
		err = database.Read(t.Context(), func(ctx context.Context, q sqlx.QueryerContext) error {
			for i := range 300 {
				args, query := []any{i}, "SELECT $1::int + "+strconv.Itoa(i/2)
				if i%10 == 9 {
					for len(args) < 17 {
						args = append(args, 0)
						query += "+$" + strconv.Itoa(len(args)) + "::int"
					}
				}
				var sum int
				if err := sqlx.GetContext(ctx, q, &sum, query, args...); err != nil {
					return err
				}
				if sum != i+i/2 {
					t.Errorf("%s of %d is %d", query, i, sum)
				}
			}
			var kept, tooMany int
			if err := sqlx.GetContext(ctx, q, &kept, "SELECT count(*) FROM pg_prepared_statements"); err != nil {
				return err
			}
			if err := sqlx.GetContext(ctx, q, &tooMany, "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%$17%'"); err != nil {
				return err
			}
			if kept != want || tooMany != 0 {
				t.Errorf("%d statements are kept (unprepared: %t), want %d; %d have many parameters", kept, unprepared, want, tooMany)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
