// Package db opens the database a URL names, Postgres or SQLite, and hides what
// an engine forces on everyone: connection settings, pools, transactions,
// migrations and the meaning of driver errors. It knows nothing of what is stored.
//
// A DB has two pools. On Postgres they are the same one. On SQLite there is one
// connection that writes, since the file has one writer at a time anyway, and
// several that read beside it.
package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
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

// readTimeout bounds one read: a query that takes longer is stopped in the database too.
const readTimeout = 10 * time.Second

// DB is an open database. It is safe for concurrent use.
type DB struct {
	Engine Engine
	Slots  Slots

	read      *sqlx.DB
	write     *sqlx.DB
	probe     *sqlx.DB // one connection, for readiness probes
	admin     *sql.DB  // for what may take long: changes of the schema, whole stores
	isolation sql.IsolationLevel
	server    *server // of Postgres
	address   string  // of Postgres, as pq takes it

	// Whoever calls Read takes a turn first, in the order they came. Of those who wait for
	// a connection, database/sql chooses any, so that a few wait several times as long as
	// the others.
	turns chan struct{}

	sqlite   *checkpoints // nil on Postgres
	failing  atomic.Bool  // the last transaction of SQLite found no room, or no right or time to write
	watching sync.Map     // the connection of each Watch
}

// Options adjusts a [DB].
type Options struct {
	MaxConnections int  // to Postgres
	Unprepared     bool // keep no statements prepared in Postgres

	Log *slog.Logger // of what an operator should know of the database; none if nil
}

// Open opens the database that url names, without waiting for it to answer:
//
//	postgres://user:password@host:port,host:port/name?sslmode=...
//	sqlite:path/to/file.db
//
// No error quotes the URL of a Postgres, which has a password.
func Open(url string, options Options) (*DB, error) {
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	if strings.HasPrefix(url, "postgres://") || strings.HasPrefix(url, "postgresql://") {
		return openPostgres(url, options)
	}
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		return openSQLite(path, options.Log)
	}
	return nil, errors.New("a database URL is postgres://... or sqlite:PATH")
}

// OpenExisting is [Open] for a command that has no use for an empty database: it
// makes no SQLite file where there is none.
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

// Close closes the database after the running statements have ended. In SQLite all that
// was committed is in the file then, and there is no log, unless another process has the
// database open.
func (d *DB) Close() error {
	if d.sqlite != nil {
		d.watching.Range(func(conn, _ any) bool {
			_ = conn.(*sqlx.Conn).Close() // it may be closed already
			return true
		})
		return errors.Join(d.read.Close(), d.probe.Close(), d.write.Close(), d.sqlite.close())
	}
	return errors.Join(d.write.Close(), d.read.Close(), d.probe.Close(), d.admin.Close())
}

// IsFile reports whether the file at a path is one of those of which the database consists.
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

// Intact returns an error that wraps [ErrUnavailable] once a SQLite database was removed
// or replaced while it was open. Nothing is read or stored from then on.
func (d *DB) Intact() error {
	if d.sqlite == nil {
		return nil
	}
	return d.sqlite.file.intact()
}

// Read runs fn, which reads, outside a transaction. The end of ctx ends the wait for a
// connection, but not what goes on in the database, which would cost that connection;
// each read has a deadline of its own instead.
func (d *DB) Read(ctx context.Context, fn func(context.Context, sqlx.QueryerContext) error) error {
	if err := ctx.Err(); err != nil {
		return classify(err)
	}
	timed, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTimeout)
	defer cancel()
	select {
	case d.turns <- struct{}{}:
		defer func() { <-d.turns }()
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

// Probe runs fn, which reads, on a connection that nobody else uses: it does not wait for a
// turn, however many do.
func (d *DB) Probe(ctx context.Context, fn func(context.Context, sqlx.QueryerContext) error) error {
	timed, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTimeout)
	defer cancel()
	return classify(fn(timed, d.probe))
}

// Statement runs fn, which writes by one statement that is a transaction of its own. As
// with [DB.Tx], timeout ends it and nothing else. It may be run twice where a connection
// was lost, and it may lose against another transaction, which is no [ErrUnavailable].
func (d *DB) Statement(ctx context.Context, timeout time.Duration, fn func(context.Context, sqlx.QueryerContext) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	err := fn(ctx, d.write)
	if isSerializationFailure(err) {
		return err
	}
	return classify(err)
}

// txAttempts is how often a transaction is tried that loses against another one.
const txAttempts = 3

// Tx runs fn in a transaction and commits it unless fn fails or panics. fn runs
// again when the database ended the transaction in favour of another one, so it
// must start from scratch each time. The caller's cancellation does not reach the
// transaction; timeout does.
//
// An error that wraps [ErrUnavailable] leaves open whether the transaction was
// committed: the connection may have been lost on the way back.
func (d *DB) Tx(ctx context.Context, timeout time.Duration, fn func(context.Context, *sqlx.Tx) error) error {
	return d.tx(ctx, timeout, true, fn)
}

// Add is [DB.Tx] for transactions that erase nothing. After those that do, SQLite's full-text
// indexes are cleared of the erased words, and the log is emptied soon, so that nothing
// remains there; that costs all who write.
func (d *DB) Add(ctx context.Context, timeout time.Duration, fn func(context.Context, *sqlx.Tx) error) error {
	return d.tx(ctx, timeout, false, fn)
}

func (d *DB) tx(ctx context.Context, timeout time.Duration, erases bool, fn func(context.Context, *sqlx.Tx) error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), timeout)
	defer cancel()
	for attempt := 1; ; attempt++ {
		var failed error // of fn, so that nothing was committed
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
		return commit()
	}
	if erases {
		commit = func() error { return cleanly(ctx, pool, options, fn) }
	}
	err := d.sqlite.write(ctx, erases, commit)
	if failing := err != nil && isUnavailable(err); failing || err == nil {
		d.failing.Store(failing)
	}
	return err
}

// beginner is a pool or one of its connections.
type beginner interface {
	BeginTxx(context.Context, *sql.TxOptions) (*sqlx.Tx, error)
}

// once runs fn in a transaction and commits it unless fn fails or panics.
func once(ctx context.Context, pool beginner, options *sql.TxOptions, fn func(context.Context, *sqlx.Tx) error) error {
	tx, err := pool.BeginTxx(ctx, options)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it does nothing; otherwise fn's error is the one that counts
	if err := fn(ctx, tx); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("%w: commit: %w", ErrUnavailable, err) // it may have been done
	}
	return nil
}
