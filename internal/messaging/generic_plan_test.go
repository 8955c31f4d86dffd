package messaging_test

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/messaging"
)

// explainGeneric runs a query with the plan that Postgres makes without looking at its
// parameters, which is the one of a prepared statement sooner or later.
func explainGeneric(ctx context.Context, database *db.DB, query string, args []any) (plan string, err error) {
	literals := make([]string, len(args))
	for i, arg := range args {
		switch arg := arg.(type) {
		case int:
			literals[i] = fmt.Sprint(arg)
		case string:
			literals[i] = "'" + strings.ReplaceAll(arg, "'", "''") + "'"
		case messaging.ID:
			literals[i] = "'" + arg.String() + "'"
		default:
			return "", fmt.Errorf("a parameter is of type %T", arg)
		}
	}
	err = database.Tx(ctx, time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
		for _, statement := range []string{"SET LOCAL plan_cache_mode = force_generic_plan", "PREPARE generic AS " + query} {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		err := tx.GetContext(ctx, &plan, "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) EXECUTE generic ("+strings.Join(literals, ", ")+")")
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "DEALLOCATE generic")
		return err
	})
	return plan, err
}
