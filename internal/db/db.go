// Package db opens the database that a URL names, Postgres or SQLite, and hides the
// differences between the engines: connection settings, pools, transactions, migrations and
// the meaning of driver errors. It knows nothing of the tables.
//
// A DB has a pool for reading and one for writing. On Postgres they are the same one. On
// SQLite the writing pool has a single connection, since a file has one writer at a time.
package db

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"
)

// Engine names a database engine; its value is also the folder of its migrations.
type Engine string

// The engines.
const (
	Postgres Engine = "postgres"
	SQLite   Engine = "sqlite"
)

// Server writes an expression whose value identifies the server of the database: it is another one after a restart of
// Postgres or a failover. A server that takes over may lack the last commits and count on from before them, so that the same
// numbers stand for other changes; numbers are only compared if they are of the same server. A file of SQLite is the
// same as long as it is open.
func (e Engine) Server() string {
	if e == Postgres {
		return "extract(epoch FROM pg_postmaster_start_time())::text"
	}
	return "''"
}

// readTimeout bounds one read: a query that takes longer is stopped in the database too.
const readTimeout = 10 * time.Second

// DB is an open database. It is safe for concurrent use.
type DB struct {
	Engine Engine
	Slots  Slots

	read      *sqlx.DB
	write     *sqlx.DB
	probe     *sqlx.DB // one connection, for readiness probes
	admin     *sql.DB  // without timeouts: for changes of the schema, and whole stores
	isolation sql.IsolationLevel
	server    *server // nil on SQLite
	address   string  // of Postgres, as a connection string of pq

	// readSlots is a FIFO semaphore for Read. database/sql alone would serve waiting
	// callers in any order, so that a few wait several times as long as the others.
	readSlots chan struct{}

	sqlite   *checkpoints              // nil on Postgres
	failing  atomic.Bool               // the last transaction of SQLite failed for lack of disk space, permission or the lock
	full     atomic.Pointer[time.Time] // when a write last failed for lack of disk space
	watching sync.Map                  // the connection of each Watch
}

// Options adjusts a [DB].
type Options struct {
	MaxConnections int  // to Postgres
	Unprepared     bool // keep no statements prepared in Postgres

	Log   *slog.Logger // for messages to the operator; none if nil
	Trace Trace        // for tests that check which statements run; may be nil
}

// Open opens the database that url names, without waiting for it to answer:
//
//	postgres://user:password@host:port,host:port/name?sslmode=...
//	sqlite:path/to/file.db
//
// No error quotes the URL of a Postgres, which may have a password.
func Open(url string, options Options) (*DB, error) {
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	if strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://") {
		return openPostgres(url, options)
	}
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		return openSQLite(path, options)
	}
	return nil, errors.New("--database-url (DATABASE_URL) must be postgres://... or sqlite:PATH")
}

// OpenExisting is [Open], but fails if a SQLite file does not exist instead of creating it.
func OpenExisting(url string, options Options) (*DB, error) {
	if text, ok := strings.CutPrefix(url, "sqlite:"); ok {
		path, err := sqlitePath(text)
		if err != nil {
			return nil, err
		}
		if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
			return nil, fmt.Errorf("there is no SQLite file %s", path)
		}
	}
	return Open(url, options)
}

// Close closes the database after the running statements have ended. A last checkpoint of
// SQLite then copies all commits into the file, and removes the write-ahead log unless another
// process has the database open.
func (d *DB) Close() error {
	if d.sqlite != nil {
		d.watching.Range(func(conn, _ any) bool {
			_ = conn.(*sqlx.Conn).Close() // it may be closed already
			return true
		})
		return errors.Join(d.read.Close(), d.probe.Close(), d.write.Close(), d.sqlite.close())
	}
	for _, pool := range []io.Closer{d.write, d.read, d.probe, d.admin} {
		_ = pool.Close() // fails if Postgres has gone meanwhile; there is nothing left to be written
	}
	return nil
}

// IsFile reports whether the file at path is one of the files of a SQLite database.
func (d *DB) IsFile(path string) bool {
	info, err := os.Stat(path)
	if err != nil || d.sqlite == nil {
		return false
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		ours, err := os.Stat(d.sqlite.file.beside(suffix))
		if err == nil && os.SameFile(info, ours) {
			return true
		}
	}
	return false
}

// Intact returns an error that wraps [ErrUnavailable] once the files of a SQLite database were
// removed, replaced or overwritten while it was open. It then no longer reads or stores.
func (d *DB) Intact() error {
	if d.sqlite == nil {
		return nil
	}
	return d.sqlite.file.intact()
}

// Read runs fn, which reads, outside a transaction. Cancelling ctx ends the wait for a slot, but
// not a running statement, since that would close its connection; each read has its own deadline
// instead.
func (d *DB) Read(ctx context.Context, fn func(context.Context, sqlx.QueryerContext) error) error {
	if err := ctx.Err(); err != nil {
		return classify(err)
	}
	timed, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTimeout)
	defer cancel()
	select {
	case d.readSlots <- struct{}{}:
		defer func() { <-d.readSlots }()
	case <-ctx.Done():
		return classify(ctx.Err())
	case <-timed.Done():
		return classify(timed.Err())
	}
	if d.sqlite != nil {
		return classify(d.sqlite.read(timed, func(ctx context.Context) error { return fn(ctx, d.read) }))
	}
	return classify(fn(timed, d.read))
}

// Probe runs fn, which reads, on a connection reserved for probes, so that it never waits for a
// read slot.
func (d *DB) Probe(ctx context.Context, fn func(context.Context, sqlx.QueryerContext) error) error {
	timed, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTimeout)
	defer cancel()
	return classify(fn(timed, d.probe))
}

// Statement runs fn, each of whose statements is its own transaction, on a connection of those that write. As with [DB.Tx],
// only timeout ends it, not ctx, and after an error that wraps [ErrUnavailable] the outcome is unknown. A
// serialization failure is returned as it is, and not as [ErrUnavailable].
func (d *DB) Statement(ctx context.Context, timeout time.Duration, fn func(context.Context, sqlx.QueryerContext) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	// The pool would run the statement again if its connection is lost, though it may be committed. A connection does not.
	conn, err := d.write.Connx(ctx)
	if err == nil {
		defer conn.Close() //nolint:errcheck // it goes back into the pool
		err = d.noteFull(fn(ctx, conn))
	}
	if isSerializationFailure(err) {
		return err
	}
	return classify(err)
}

// txAttempts is how often a transaction is tried in all after serialization failures and deadlocks.
const txAttempts = 3

// Tx runs fn in a transaction and commits it unless fn fails or panics. fn runs again after a
// serialization failure or a deadlock, so it must start from scratch each time. Cancelling ctx
// does not end the transaction; timeout does.
//
// After an error that wraps [ErrUnavailable] the transaction may be committed or not: the
// connection may have been lost before the answer.
func (d *DB) Tx(ctx context.Context, timeout time.Duration, fn func(context.Context, *sqlx.Tx) error) error {
	return d.tx(ctx, timeout, true, fn)
}

// Add is [DB.Tx] for transactions that erase nothing. Those that may erase soon truncate
// SQLite's write-ahead log, which slows all writers down.
func (d *DB) Add(ctx context.Context, timeout time.Duration, fn func(context.Context, *sqlx.Tx) error) error {
	return d.tx(ctx, timeout, false, fn)
}

func (d *DB) tx(ctx context.Context, timeout time.Duration, erases bool, fn func(context.Context, *sqlx.Tx) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	for attempt := 1; ; attempt++ {
		var failed error // of fn: then nothing was committed
		err := d.transact(ctx, d.write, erases, func(ctx context.Context, tx *sqlx.Tx) error {
			failed = fn(ctx, tx)
			return failed
		})
		if err == nil || attempt == txAttempts || !isSerializationFailure(err) && !isForeignStatement(failed) {
			return classify(err)
		}
	}
}

// transact runs fn in a transaction that writes.
func (d *DB) transact(ctx context.Context, pool *sqlx.DB, erases bool, fn func(context.Context, *sqlx.Tx) error) error {
	options := &sql.TxOptions{Isolation: d.isolation}
	commit := func() error { return once(ctx, pool, options, fn) }
	if d.sqlite == nil {
		return d.noteFull(commit())
	}
	err := d.noteFull(d.sqlite.write(ctx, erases, commit))
	if failing := err != nil && isUnavailable(err); failing || err == nil {
		d.failing.Store(failing)
	}
	return err
}

// beginner is a pool or one of its connections.
type beginner interface {
	BeginTxx(context.Context, *sql.TxOptions) (*sqlx.Tx, error)
}

// once runs fn in a transaction and commits it unless fn fails or panics, or ctx has ended.
func once(ctx context.Context, pool beginner, options *sql.TxOptions, fn func(context.Context, *sqlx.Tx) error) error {
	tx, err := pool.BeginTxx(ctx, options)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it does nothing; otherwise fn's error is the one that counts
	if err := cmp.Or(fn(ctx, tx), ctx.Err()); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("%w: commit: %w", ErrUnavailable, err) // it may be committed nevertheless
	}
	return nil
}
