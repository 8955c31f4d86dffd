package db

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/jmoiron/sqlx"
)

// ReadPortion runs a function that reads one portion of a database.
type ReadPortion func(func(context.Context, sqlx.QueryerContext) error) error

// Portions runs fn, which reads a whole database portion by portion, without a timeout but that of
// ctx. In Postgres all portions are of one snapshot. In SQLite each portion has its own: a long
// snapshot would keep the write-ahead log from being truncated, so that it grows and keeps erased
// data.
func (d *DB) Portions(ctx context.Context, fn func(ReadPortion) error) error {
	if d.Engine == SQLite {
		return fn(func(portion func(context.Context, sqlx.QueryerContext) error) error {
			return d.Read(ctx, func(ctx context.Context, _ sqlx.QueryerContext) error {
				return once(ctx, d.read, &sql.TxOptions{ReadOnly: true}, func(ctx context.Context, tx *sqlx.Tx) error { return portion(ctx, tx) })
			})
		})
	}
	options := &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	return once(ctx, d.bulk(), options, func(ctx context.Context, tx *sqlx.Tx) error {
		return fn(func(portion func(context.Context, sqlx.QueryerContext) error) error { return portion(ctx, tx) })
	})
}

// Load runs fn in one transaction, once, and without a timeout but that of ctx. As with [DB.Tx], after an error
// that wraps [ErrUnavailable] the outcome is unknown. Load first locks a table against other writers. Afterwards it gathers
// the statistics of Postgres, which would otherwise scan large tables until autovacuum does so, a minute or more later.
func (d *DB) Load(ctx context.Context, table string, fn func(context.Context, *sqlx.Tx) error) error {
	prepare := "LOCK TABLE " + table + " IN EXCLUSIVE MODE"
	if d.Engine == SQLite {
		// There is only one writer anyway. With SQLite's default cache of 2 MB, pages of
		// large tables would go to disk and back many times before they are full.
		prepare = "PRAGMA cache_size = -16384"
	}
	err := d.transact(ctx, d.bulk(), false, func(ctx context.Context, tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, prepare); err != nil {
			return fmt.Errorf("prepare to load: %w", err)
		}
		return fn(ctx, tx)
	})
	if err == nil && d.Engine == Postgres {
		// Everything is stored, whatever becomes of this. It waits for no table's lock: with CREATE INDEX CONCURRENTLY that would be a deadlock.
		_, _ = d.admin.ExecContext(ctx, "ANALYZE (SKIP_LOCKED)")
	}
	return err
}

// bulk returns the pool without timeouts.
func (d *DB) bulk() *sqlx.DB { return sqlx.NewDb(d.admin, string(d.Engine)) }
