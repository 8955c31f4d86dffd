package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/message-service/message-service/migrations"
)

// Migration is one step of the schema.
type Migration struct {
	Name     string
	Applied  time.Time // zero when it has not been applied
	Optional bool      // a database need not have it
}

// migrateAttempts is how often a migration is tried that collides with the same one by another
// process.
const migrateAttempts = 10

// Migrate brings the schema up to date, except for the optional steps named in without, and returns
// the names of the steps it applied or rolled back. Several processes may call it at once: one
// works and the others wait. In SQLite all steps are one transaction, and a checkpoint follows,
// which also recovers a log that a crash has left. A schema that is too new for this binary is an
// error, and stays as it is.
func (d *DB) Migrate(ctx context.Context, without ...string) (applied []string, err error) {
	steps, err := migrations.Steps(string(d.Engine))
	if err != nil {
		return nil, err
	}
	migrate := func(ctx context.Context, pool *sql.DB) (err error) {
		applied, err = d.migrate(ctx, pool, steps, without)
		return err
	}
	if d.sqlite != nil {
		if err := d.inOneTransaction(ctx, migrate); err != nil {
			return nil, classify(err)
		}
		d.sqlite.truncate(ctx)
		return applied, nil
	}
	for attempt := 1; ; attempt++ {
		err = migrate(ctx, d.admin)
		if err == nil || attempt == migrateAttempts || !isOvertaken(err) {
			return applied, d.explainRights(ctx, classify(err))
		}
	}
}

func (d *DB) migrate(ctx context.Context, pool *sql.DB, steps []migrations.Step, without []string) ([]string, error) {
	var unwanted []int64
	wanted := make([]migrations.Step, 0, len(steps))
	for _, step := range steps {
		if step.Optional != "" && slices.Contains(without, step.Optional) {
			unwanted = append(unwanted, step.Version)
		} else {
			wanted = append(wanted, step)
		}
	}
	if err := d.checkSchema(ctx, pool); err != nil {
		return nil, err
	}
	if d.Engine == Postgres {
		if err := checkSchemas(ctx, pool); err != nil {
			return nil, err
		}
	}
	if err := d.recordRequirements(ctx, pool, wanted); err != nil {
		return nil, err
	}
	provider, err := d.migrations(pool, goose.WithExcludeVersions(unwanted))
	if err != nil {
		return nil, err
	}
	applied, err := up(ctx, provider)
	if err != nil || len(unwanted) == 0 {
		return applied, err
	}
	rolledBack, err := d.rollBack(ctx, pool, unwanted)
	return append(applied, rolledBack...), err
}

// rollBack rolls back those of the steps that were applied.
func (d *DB) rollBack(ctx context.Context, pool *sql.DB, steps []int64) (names []string, err error) {
	provider, err := d.migrations(pool)
	if err != nil {
		return nil, err
	}
	for _, step := range steps {
		switch result, err := provider.ApplyVersion(ctx, step, false); {
		case err == nil:
			names = append(names, result.Source.Path+" (rolled back)")
		case !errors.Is(err, goose.ErrNotApplied):
			return nil, fmt.Errorf("migrate: %w", err)
		}
	}
	return names, nil
}

func up(ctx context.Context, provider *goose.Provider) ([]string, error) {
	if pending, err := provider.HasPending(ctx); err != nil || !pending {
		return nil, err
	}
	results, err := provider.Up(ctx)
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	applied := make([]string, len(results))
	for i, result := range results {
		applied[i] = result.Source.Path
	}
	return applied, nil
}

// MigrationStatus lists every step of the schema, oldest first. It only reads, so that a role
// without other rights can call it, even while another process migrates.
func (d *DB) MigrationStatus(ctx context.Context) ([]Migration, error) {
	provider, err := d.migrations(d.admin)
	if err != nil {
		return nil, err
	}
	applied, err := d.appliedSteps(ctx)
	if err != nil {
		return nil, d.explainRights(ctx, fmt.Errorf("migration status: %w", err))
	}
	steps, err := migrations.Steps(string(d.Engine))
	if err != nil {
		return nil, err
	}
	sources := provider.ListSources() // oldest first, like steps
	list := make([]Migration, len(sources))
	for i, source := range sources {
		list[i] = Migration{Name: source.Path, Applied: applied[source.Version], Optional: steps[i].Optional != ""}
	}
	return list, nil
}

// appliedSteps returns when each step was applied, as goose recorded it.
func (d *DB) appliedSteps(ctx context.Context) (map[int64]time.Time, error) {
	var records []struct {
		Version int64     `db:"version_id"`
		At      time.Time `db:"tstamp"`
	}
	err := d.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) error {
		return sqlx.SelectContext(ctx, q, &records, "SELECT version_id, tstamp FROM goose_db_version WHERE is_applied ORDER BY id")
	})
	if isUndefinedTable(err) {
		err = d.checkSearchPath(ctx)
	}
	applied := make(map[int64]time.Time, len(records))
	for _, record := range records {
		applied[record.Version] = record.At
	}
	return applied, err
}

func (d *DB) migrations(pool *sql.DB, options ...goose.ProviderOption) (*goose.Provider, error) {
	folder, err := fs.Sub(migrations.FS, string(d.Engine))
	if err != nil {
		return nil, err
	}
	dialect := goose.DialectSQLite3
	// An optional step may be applied after later ones.
	options = append(options, goose.WithDisableGlobalRegistry(true), goose.WithAllowOutofOrder(true))
	if d.Engine == Postgres {
		dialect = goose.DialectPostgres
		// The lock is a row of a table instead of an advisory lock: it works on every
		// database that speaks Postgres' protocol, and through a pooler.
		locker, err := lock.NewPostgresTableLocker(lock.WithTableLockTimeout(time.Second, 300), lock.WithTableRetryPolicy(func(err error) bool {
			return pq.As(err, pqerror.InsufficientPrivilege) == nil
		}))
		if err != nil {
			return nil, err
		}
		options = append(options, goose.WithLocker(locker))
	}
	return goose.NewProvider(dialect, pool, folder, options...)
}
