package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/jmoiron/sqlx"
)

// OpenExisting is [Open] for a command that reads: it makes no SQLite file where
// there is none.
func OpenExisting(url string, maxConnections int) (*DB, error) {
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		if _, err := os.Stat(strings.TrimPrefix(path, "//")); errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("there is no SQLite file %s", path)
		}
	}
	return Open(url, maxConnections)
}

// Snapshot runs fn, which reads one state of the whole database for as long as it
// takes; ctx ends it.
func (d *DB) Snapshot(ctx context.Context, fn func(context.Context, sqlx.QueryerContext) error) error {
	pool, options := d.read, &sql.TxOptions{} // in SQLite every transaction reads one state
	if d.Engine == Postgres {
		pool, options = d.bulk(), &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	}
	return classify(once(ctx, pool, options, func(ctx context.Context, tx *sqlx.Tx) error { return fn(ctx, tx) }))
}

// Load runs fn in one transaction, once and for as long as it takes; ctx ends it.
func (d *DB) Load(ctx context.Context, fn func(context.Context, *sqlx.Tx) error) error {
	return classify(once(ctx, d.bulk(), &sql.TxOptions{Isolation: d.isolation}, fn))
}

// bulk is the pool for what may take long.
func (d *DB) bulk() *sqlx.DB { return sqlx.NewDb(d.admin, string(d.Engine)) }
