package messaging_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/messaging"
)

// TestListPlans checks that each kind of list is served by its index, both ways,
// and that nothing is sorted.
func TestListPlans(t *testing.T) {
	lists := map[string]struct{ recipient, sender, index string }{
		"all":         {"", "", "messages_id"},
		"sent by one": {"", "user-1", "messages_sent"},
		"sent to one": {"user-1", "", "messages_pkey"},
		"between two": {"user-1", "user-2", "messages_between"},
	}
	apitest.Engines(t, func(t *testing.T, engine db.Engine) {
		database := apitest.Open(t, apitest.NewDatabaseURL(t, engine))
		fill(t, database, map[db.Engine]int{db.Postgres: 50_000, db.SQLite: 5_000}[engine])
		for name, list := range lists {
			for _, after := range []*messaging.ID{nil, {}} {
				query := messaging.Query{Recipient: list.recipient, Sender: list.sender, Window: messaging.Window{After: after, Limit: 100}}
				var plan string
				err := database.Read(t.Context(), func(ctx context.Context, q sqlx.QueryerContext) error {
					e := &explainer{QueryerContext: q, engine: engine}
					err := messaging.SelectFor(ctx, e, query)
					plan = e.plan.String()
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
				index := list.index
				if engine == db.SQLite && index == "messages_pkey" {
					index = "USING PRIMARY KEY"
				}
				for _, bad := range []string{"Sort", "Seq Scan", "SCAN", "TEMP B-TREE"} {
					if strings.Contains(plan, bad) || !strings.Contains(plan, index) {
						t.Fatalf("%s, upward %v: %s is not what serves it:\n%s", name, query.Upward(), index, plan)
					}
				}
			}
		}
	})
}

// fill stores n messages from 7 users to 5.
func fill(t *testing.T, database *db.DB, n int) {
	t.Helper()
	id := "randomblob(16)"
	if database.Engine == db.Postgres {
		id = "gen_random_uuid()"
	}
	err := database.Tx(t.Context(), time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, fmt.Sprintf(`
			WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
			INSERT INTO messages (recipient, id, sender, text)
			SELECT 'user-' || i %% 5, %s, 'user-' || i %% 7, 'x' FROM n`, n, id))
		if err == nil && database.Engine == db.Postgres {
			_, err = tx.ExecContext(ctx, "ANALYZE messages")
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// explainer records the plan of each query.
type explainer struct {
	sqlx.QueryerContext

	engine db.Engine
	plan   strings.Builder
}

// QueryxContext explains the query and then runs it.
func (e *explainer) QueryxContext(ctx context.Context, query string, args ...any) (*sqlx.Rows, error) {
	explain := map[db.Engine]string{db.Postgres: "EXPLAIN ", db.SQLite: "EXPLAIN QUERY PLAN "}
	rows, err := e.QueryerContext.QueryxContext(ctx, explain[e.engine]+query, args...) //nolint:sqlclosecheck // it is closed below
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // it is read to its end
	for rows.Next() {
		columns, err := rows.SliceScan()
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&e.plan, "%s\n", columns[len(columns)-1])
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return e.QueryerContext.QueryxContext(ctx, query, args...) //nolint:sqlclosecheck // the caller closes it
}
