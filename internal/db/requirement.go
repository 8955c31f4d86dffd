package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
	"modernc.org/sqlite"

	"github.com/message-service/message-service/migrations"
)

// requirementsTable has, for each step, the oldest binary that works with it, given as the newest
// step that binary knows. A newer binary records its steps before it applies them, so that older
// ones can tell whether they still work.
const requirementsTable = "CREATE TABLE IF NOT EXISTS schema_requirements (step bigint PRIMARY KEY, oldest bigint NOT NULL)"

// CheckSchema returns an error if the schema of the database has a step that requires a newer
// binary. Other unknown steps are allowed.
func (d *DB) CheckSchema(ctx context.Context) error {
	return d.explainRights(ctx, d.checkSchema(ctx, d.admin))
}

func (d *DB) checkSchema(ctx context.Context, pool *sql.DB) error {
	steps, err := migrations.Steps(string(d.Engine))
	if err != nil {
		return err
	}
	var step, oldest sql.NullInt64
	err = pool.QueryRowContext(ctx, "SELECT step, oldest FROM schema_requirements ORDER BY oldest DESC, step DESC LIMIT 1").Scan(&step, &oldest)
	if errors.Is(err, sql.ErrNoRows) || isUndefinedTable(err) {
		return nil
	}
	if err != nil {
		return classify(fmt.Errorf("schema requirements: %w", err))
	}
	if newest := steps[len(steps)-1].Version; oldest.Int64 > newest {
		return fmt.Errorf("the schema of this database is too new for this version of message-service: its step %d needs a version that knows step %d, "+
			"and this one knows those up to %d; start a newer version", step.Int64, oldest.Int64, newest)
	}
	return nil
}

// recordRequirements records the requirements of steps that are not recorded yet, unless the role cannot apply them: older
// binaries could not go back to work then.
func (d *DB) recordRequirements(ctx context.Context, pool *sql.DB, steps []migrations.Step) error {
	recorded, err := recordedSteps(ctx, pool)
	if isUndefinedTable(err) {
		_, err = pool.ExecContext(ctx, requirementsTable)
	}
	if err != nil {
		return fmt.Errorf("schema requirements: %w", err)
	}
	steps = slices.DeleteFunc(slices.Clone(steps), func(step migrations.Step) bool { return recorded[step.Version] })
	if len(steps) > 0 && d.Engine == Postgres {
		if err := checkOwner(ctx, pool); err != nil {
			return err
		}
	}
	for _, step := range steps {
		_, err := pool.ExecContext(ctx, "INSERT INTO schema_requirements (step, oldest) VALUES ($1, $2) ON CONFLICT DO NOTHING", step.Version, step.Oldest)
		if err != nil {
			return fmt.Errorf("schema requirements: %w", err)
		}
	}
	return nil
}

func recordedSteps(ctx context.Context, pool *sql.DB) (map[int64]bool, error) {
	recorded := map[int64]bool{}
	rows, err := pool.QueryContext(ctx, "SELECT step FROM schema_requirements")
	if err != nil {
		return recorded, err
	}
	defer rows.Close() //nolint:errcheck // rows.Err has the error
	for rows.Next() {
		var step int64
		if err := rows.Scan(&step); err != nil {
			return recorded, err
		}
		recorded[step] = true
	}
	return recorded, rows.Err()
}

// isUndefinedTable reports whether a statement failed because a table does not exist.
func isUndefinedTable(err error) bool {
	if pq.As(err, pqerror.UndefinedTable) != nil {
		return true
	}
	lite, ok := errors.AsType[*sqlite.Error](err)
	return ok && strings.Contains(lite.Error(), "no such table")
}
