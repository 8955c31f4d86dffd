package db

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/jmoiron/sqlx"
)

// Snapshot runs fn, which reads one state of the whole database for as long as it
// takes; ctx ends it.
func (d *DB) Snapshot(ctx context.Context, fn func(context.Context, sqlx.QueryerContext) error) error {
	pool, options := d.read, &sql.TxOptions{} // in SQLite every transaction reads one state
	if d.Engine == Postgres {
		pool, options = d.bulk(), &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	}
	return once(ctx, pool, options, func(ctx context.Context, tx *sqlx.Tx) error { return fn(ctx, tx) })
}

// Load runs fn in one transaction, once and for as long as it takes; ctx ends it. It
// locks a table first: nobody else writes into it meanwhile.
func (d *DB) Load(ctx context.Context, table string, fn func(context.Context, *sqlx.Tx) error) error {
	prepare := "LOCK TABLE " + table + " IN EXCLUSIVE MODE"
	if d.Engine == SQLite {
		// Whoever writes is alone. With the usual 2 MB of cache, pages of large
		// tables would go to disk and back many times before they are full.
		prepare = "PRAGMA cache_size = -16384"
	}
	return once(ctx, d.bulk(), &sql.TxOptions{Isolation: d.isolation}, func(ctx context.Context, tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, prepare); err != nil {
			return fmt.Errorf("prepare to load: %w", err)
		}
		return fn(ctx, tx)
	})
}

// bulk is the pool for what may take long.
func (d *DB) bulk() *sqlx.DB { return sqlx.NewDb(d.admin, string(d.Engine)) }
