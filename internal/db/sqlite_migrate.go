package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// inOneTransaction runs fn with a pool whose statements are all part of one transaction of SQLite;
// transactions of fn become savepoints. The context of fn does not end, but its statements do when ctx does. Other processes
// that call it wait for its end, and see all of it or nothing.
func (d *DB) inOneTransaction(ctx context.Context, fn func(context.Context, *sql.DB) error) error {
	return d.sqlite.write(ctx, true, func() error {
		conn, err := connectPatiently(ctx, d.write)
		if err != nil {
			return err
		}
		defer conn.Close() //nolint:errcheck // it goes back to the pool
		return conn.Raw(func(raw any) error { return transactAll(ctx, raw.(engineConn), fn) })
	})
}

// busyPause is the time between two attempts to connect to a file that is locked.
const busyPause = 10 * time.Millisecond

// connectPatiently retries while the file is locked: SQLite's busy timeout does not apply where
// waiting could deadlock, as while another process creates the file.
func connectPatiently(ctx context.Context, pool *sqlx.DB) (*sql.Conn, error) {
	for start := time.Now(); ; {
		conn, err := pool.Conn(ctx)
		if err == nil || !isBusy(err) || time.Since(start) > busyTimeout {
			return conn, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(busyPause):
		}
	}
}

// transactAll runs fn in a transaction of a connection, and ends it even if fn panics.
func transactAll(ctx context.Context, shared engineConn, fn func(context.Context, *sql.DB) error) error {
	if _, err := shared.ExecContext(ctx, "BEGIN IMMEDIATE", nil); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	committed := false
	lasting := context.WithoutCancel(ctx)
	defer func() { // fn may panic
		if !committed {
			// It fails only if SQLite has rolled back by itself.
			_, _ = shared.ExecContext(lasting, "ROLLBACK", nil)
		}
	}()
	pool := sql.OpenDB(joiningConnector{shared, ctx})
	defer pool.Close() //nolint:errcheck // closing it leaves the connection open
	if err := fn(lasting, pool); err != nil {
		return err
	}
	if _, err := shared.ExecContext(lasting, "COMMIT", nil); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	committed = true
	return nil
}

// isBusy reports whether a statement gave up waiting for another process's lock.
func isBusy(err error) bool {
	lite, ok := errors.AsType[*sqlite.Error](err)
	return ok && lite.Code()&0xff == sqlite3.SQLITE_BUSY
}

// joiningConnector makes one connection look like any number of connections, of which only one may
// be used at a time. When the context of a transaction or of rows ends, database/sql ends these in another goroutine, at
// the same time as it uses another connection, which here is the same one. So it gets a context that does not end, and
// each statement runs with ctx.
type joiningConnector struct {
	shared engineConn
	ctx    context.Context //nolint:containedctx // as above
}

// Connect returns the connection.
func (c joiningConnector) Connect(context.Context) (driver.Conn, error) {
	return joiningConn{c.shared, c.ctx}, nil
}

// Driver returns nil: database/sql does not use it here.
func (c joiningConnector) Driver() driver.Driver { return nil }

// joiningConn is a connection that stays in an outer transaction.
type joiningConn struct {
	engineConn

	ctx context.Context //nolint:containedctx // as in joiningConnector
}

// QueryContext runs a query.
func (c joiningConn) QueryContext(_ context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	return c.engineConn.QueryContext(c.ctx, query, args)
}

// ExecContext runs a statement.
func (c joiningConn) ExecContext(_ context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	return c.engineConn.ExecContext(c.ctx, query, args)
}

// Close leaves the connection open.
func (joiningConn) Close() error { return nil }

// BeginTx sets a savepoint.
func (c joiningConn) BeginTx(ctx context.Context, _ driver.TxOptions) (driver.Tx, error) {
	return c, c.exec(ctx, "SAVEPOINT joined")
}

// Commit releases the savepoint.
func (c joiningConn) Commit() error { return c.exec(context.Background(), "RELEASE joined") }

// Rollback rolls back to the savepoint.
func (c joiningConn) Rollback() error {
	return errors.Join(c.exec(context.Background(), "ROLLBACK TO joined"), c.Commit())
}

func (c joiningConn) exec(ctx context.Context, statement string) error {
	_, err := c.engineConn.ExecContext(ctx, statement, nil)
	return err
}
