package db

import (
	"context"
	"fmt"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/message-service/message-service/migrations"
)

// Migration is one step of the schema.
type Migration struct {
	Name    string
	Applied time.Time // zero when it has not been applied
}

// migrateAttempts is how often a migration starts over that met another process
// doing the same.
const migrateAttempts = 10

// Migrate brings the schema up to date and returns the names of the steps it
// applied. Several processes may do so at once: on Postgres one works and the
// others wait, on SQLite whoever comes second starts over.
func (d *DB) Migrate(ctx context.Context) ([]string, error) {
	for attempt := 1; ; attempt++ {
		applied, err := d.migrate(ctx)
		if err == nil || attempt == migrateAttempts || !isOvertaken(err) {
			return applied, classify(err)
		}
	}
}

func (d *DB) migrate(ctx context.Context) ([]string, error) {
	provider, err := d.migrations()
	if err != nil {
		return nil, err
	}
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

// MigrationStatus lists every step of the schema, the oldest first.
func (d *DB) MigrationStatus(ctx context.Context) ([]Migration, error) {
	provider, err := d.migrations()
	if err != nil {
		return nil, err
	}
	steps, err := provider.Status(ctx)
	if err != nil {
		return nil, classify(fmt.Errorf("migration status: %w", err))
	}
	list := make([]Migration, len(steps))
	for i, step := range steps {
		list[i] = Migration{Name: step.Source.Path, Applied: step.AppliedAt}
	}
	return list, nil
}

func (d *DB) migrations() (*goose.Provider, error) {
	folder, err := fs.Sub(migrations.FS, string(d.Engine))
	if err != nil {
		return nil, err
	}
	dialect := goose.DialectSQLite3
	options := []goose.ProviderOption{goose.WithDisableGlobalRegistry(true)}
	if d.Engine == Postgres {
		dialect = goose.DialectPostgres
		// A row in a table, not an advisory lock: that works on every engine that
		// speaks Postgres' protocol, and through a connection pooler.
		locker, err := lock.NewPostgresTableLocker(lock.WithTableLockTimeout(time.Second, 300))
		if err != nil {
			return nil, err
		}
		options = append(options, goose.WithLocker(locker))
	}
	return goose.NewProvider(dialect, d.admin, folder, options...)
}
