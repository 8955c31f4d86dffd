package db_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// TestPreparedStatements checks which statements a connection to Postgres keeps prepared: those
// with at most MaxPreparedParameters, up to maxPreparedStatements, and none if that is switched off.
func TestPreparedStatements(t *testing.T) {
	t.Parallel()
	url := dbtest.NewURL(t, db.Postgres)
	for unprepared, want := range map[bool]int{false: 128, true: 0} {
		database := dbtest.Connect(t, url, db.Options{MaxConnections: 1, Unprepared: unprepared})
		err := database.Read(t.Context(), func(ctx context.Context, q sqlx.QueryerContext) error {
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

// TestStatementsUncleared connects while Postgres has no room for the second connection of a
// probe for poolers: no statement is prepared on the first connection, nor on one made soon after,
// until a later probe, a second apart, finds no pooler.
func TestStatementsUncleared(t *testing.T) {
	t.Parallel()
	cluster := dbtest.NewCluster(t)
	dbtest.Execute(t, cluster.URL, "CREATE ROLE narrow LOGIN CONNECTION LIMIT 1")
	database := dbtest.Connect(t, strings.Replace(cluster.URL, "postgres@", "narrow@", 1), db.Options{MaxConnections: 16})
	connect := func(use func(q sqlx.QueryerContext)) {
		t.Helper()
		err := database.Read(t.Context(), func(_ context.Context, q sqlx.QueryerContext) error {
			conn, err := q.(*sqlx.DB).Connx(t.Context())
			if err != nil {
				return err
			}
			use(conn)
			return conn.Close()
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	check := func(which string, q sqlx.QueryerContext, want int) {
		t.Helper()
		var one, kept int
		err := errors.Join(
			sqlx.GetContext(t.Context(), q, &one, "SELECT $1::int", 1),
			sqlx.GetContext(t.Context(), q, &kept, "SELECT count(*) FROM pg_prepared_statements"))
		if err != nil || kept != want {
			t.Errorf("%s: %d statements are kept, want %d: %v", which, kept, want, err)
		}
	}
	begun := time.Now()
	connect(func(looked sqlx.QueryerContext) {
		made := time.Now()
		check("looked at in vain", looked, 0)
		dbtest.Execute(t, cluster.URL, "ALTER ROLE narrow CONNECTION LIMIT 16")
		connect(func(soonAfter sqlx.QueryerContext) {
			if time.Since(begun) < time.Second {
				check("made soon after", soonAfter, 0)
			}
			<-time.After(time.Until(made.Add(time.Second)))
			connect(func(later sqlx.QueryerContext) { check("looked at later", later, 1) })
			check("looked at in vain, and cleared later", looked, 1)
		})
	})
}
