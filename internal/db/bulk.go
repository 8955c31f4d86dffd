package db

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/jmoiron/sqlx"
)

// ReadPortion reads one portion of a database.
type ReadPortion func(func(context.Context, sqlx.QueryerContext) error) error

// Portions runs fn, which reads a whole database portion by portion for as long as it takes;
// ctx ends it. In Postgres all portions are of one state of the database. In SQLite each
// is of its own: as long as somebody reads one state the log cannot be emptied, so that
// it grows, and keeps what was erased.
func (d *DB) Portions(ctx context.Context, fn func(ReadPortion) error) error {
	if d.Engine == SQLite {
		return fn(func(portion func(context.Context, sqlx.QueryerContext) error) error { return d.Read(ctx, portion) })
	}
	options := &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	return once(ctx, d.bulk(), options, func(ctx context.Context, tx *sqlx.Tx) error {
		return fn(func(portion func(context.Context, sqlx.QueryerContext) error) error { return portion(ctx, tx) })
	})
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
	return d.transact(ctx, d.bulk(), false, func(ctx context.Context, tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, prepare); err != nil {
			return fmt.Errorf("prepare to load: %w", err)
		}
		return fn(ctx, tx)
	})
}

// bulk is the pool for what may take long.
func (d *DB) bulk() *sqlx.DB { return sqlx.NewDb(d.admin, string(d.Engine)) }
