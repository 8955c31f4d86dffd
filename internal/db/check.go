package db

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/migrations"
)

// maxClockSkew is how far this machine's clock may differ from the database's: messages stored
// with a wrong clock keep their wrong times.
const maxClockSkew = time.Minute

// Check refuses a database that may lose commits, give readers no consistent snapshot, date
// messages wrongly, or reject texts. SQLite has none of these problems: its connections sync, and
// its clock is this machine's.
func (d *DB) Check(ctx context.Context) error {
	if d.Engine == SQLite {
		return nil
	}
	var found struct {
		Off      string    `db:"off"`
		Now      time.Time `db:"now"`
		Encoding string    `db:"encoding"`
		Citus    bool      `db:"citus"`
		Standby  bool      `db:"standby"`
	}
	err := d.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) error {
		return sqlx.GetContext(ctx, q, &found, `
			SELECT coalesce(string_agg(name, ' and '), '') AS off, clock_timestamp() AS now,
				current_setting('server_encoding') AS encoding, pg_is_in_recovery() AS standby,
				EXISTS (SELECT FROM pg_extension WHERE extname = 'citus') AS citus
			FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit') AND setting = 'off'`)
	})
	if err != nil {
		return err
	}
	skew := time.Since(found.Now).Round(time.Second)
	switch {
	case found.Standby:
		return errors.New(standbyText)
	case found.Encoding != "UTF8":
		return fmt.Errorf("this database has the encoding %s, which cannot hold every text: make one with "+
			"CREATE DATABASE name ENCODING 'UTF8' TEMPLATE template0", found.Encoding)
	case found.Off != "":
		return fmt.Errorf("this Postgres may lose what it has committed: %s is off for this user and database", found.Off)
	case skew > maxClockSkew:
		return fmt.Errorf("the clock of this machine is %s ahead of the database's; set the wrong one first", skew)
	case -skew > maxClockSkew:
		return fmt.Errorf("the clock of this machine is %s behind the database's; set the wrong one first", -skew)
	}
	if found.Citus {
		return d.checkCitus(ctx)
	}
	return nil
}

// checkCitus refuses tables that Citus has distributed: a statement over several shards has no
// common snapshot of them, so that readers would miss rows. Reference tables ('n') are complete
// on every node.
func (d *DB) checkCitus(ctx context.Context) error {
	tables, err := migrations.Tables(string(d.Engine))
	if err != nil {
		return err
	}
	var distributed string
	err = d.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) error {
		return sqlx.GetContext(ctx, q, &distributed, `
			SELECT coalesce(string_agg(logicalrel::text, ', ' ORDER BY logicalrel::text), '') FROM pg_dist_partition
			WHERE partmethod <> 'n' AND logicalrel::oid IN (SELECT to_regclass(name)::oid FROM unnest($1::text[]) AS name)`, tables)
	})
	if err != nil || distributed == "" {
		return err
	}
	return fmt.Errorf("readers would miss rows, since Citus has distributed %s: undo it first, with SELECT undistribute_table('%s')",
		distributed, strings.Split(distributed, ", ")[0])
}

// fullFor is how long a database counts as one that cannot be written to after a write has failed for lack of disk
// space. A smaller one, such as that of a probe, may find room at the same time.
const fullFor = 5 * time.Second

// noteFull records that a write has failed for lack of disk space, and returns its error.
func (d *DB) noteFull(err error) error {
	if isFull(err) {
		d.full.Store(new(time.Now()))
	}
	return err
}

// Writable returns an error that wraps [ErrUnavailable] if a write has just failed for lack of disk space, or q is connected to
// a Postgres that cannot write: a standby, or one whose transactions are read-only by default.
func (d *DB) Writable(ctx context.Context, q sqlx.QueryerContext) error {
	if full := d.full.Load(); full != nil && time.Since(*full) < fullFor {
		return fmt.Errorf("%w: the disk was full %s ago", ErrUnavailable, time.Since(*full).Round(time.Millisecond))
	}
	if d.Engine == SQLite {
		return d.sqliteWritable(ctx)
	}
	var state struct {
		Standby  bool `db:"standby"`
		ReadOnly bool `db:"read_only"`
	}
	err := sqlx.GetContext(ctx, q, &state, "SELECT pg_is_in_recovery() AS standby, current_setting('transaction_read_only') = 'on' AS read_only")
	switch {
	case err != nil:
		return classify(err)
	case state.Standby:
		d.server.generation.Add(1)
		return fmt.Errorf("%w: %s", ErrUnavailable, standbyText)
	case state.ReadOnly:
		return fmt.Errorf("%w: default_transaction_read_only is on for this user, database or server", ErrUnavailable)
	}
	return nil
}

// sqliteWritable tries to write if the last transaction failed for lack of disk space, permission
// or the lock. It writes user_version with its current value.
func (d *DB) sqliteWritable(ctx context.Context) error {
	if !d.failing.Load() {
		return nil
	}
	return classify(d.transact(ctx, d.write, false, func(ctx context.Context, tx *sqlx.Tx) error {
		var version int
		if err := tx.GetContext(ctx, &version, "PRAGMA user_version"); err != nil {
			return fmt.Errorf("try to write: %w", err)
		}
		if _, err := tx.ExecContext(ctx, fmt.Sprint("PRAGMA user_version = ", version)); err != nil {
			return fmt.Errorf("try to write: %w", err)
		}
		return nil
	}))
}

// PoolerFound returns a channel that is closed once a pooler in transaction mode is detected, through
// which LISTEN cannot work. On SQLite it is nil.
func (d *DB) PoolerFound() <-chan struct{} {
	if d.server == nil {
		return nil
	}
	return d.server.poolerFound
}
