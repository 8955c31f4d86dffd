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

// inOneTransaction runs fn with a pool whose statements are all part of one transaction of
// SQLite, even where fn begins and commits some. Other processes that want to do the same
// wait for its end, and see all of it or nothing.
func (d *DB) inOneTransaction(ctx context.Context, fn func(*sql.DB) error) error {
	return d.sqlite.write(ctx, true, func() error {
		conn, err := connectPatiently(ctx, d.write)
		if err != nil {
			return err
		}
		defer conn.Close() //nolint:errcheck // it is given back
		return conn.Raw(func(raw any) error { return transactAll(ctx, raw.(engineConn), fn) })
	})
}

// busyPause is the time between two attempts to connect to a file that is locked.
const busyPause = 10 * time.Millisecond

// connectPatiently waits where SQLite does not wait for a lock since that could be for ever,
// as where another process makes the file.
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

// transactAll runs fn in a transaction of a connection, which is ended in any case.
func transactAll(ctx context.Context, shared engineConn, fn func(*sql.DB) error) error {
	if _, err := shared.ExecContext(ctx, "BEGIN IMMEDIATE", nil); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	committed := false
	ctx = context.WithoutCancel(ctx)
	defer func() { // fn may panic
		if !committed {
			// An error says that SQLite has ended it by itself.
			_, _ = shared.ExecContext(ctx, "ROLLBACK", nil)
		}
	}()
	pool := sql.OpenDB(joiningConnector{shared})
	defer pool.Close() //nolint:errcheck // its connections are not closed
	if err := fn(pool); err != nil {
		return err
	}
	if _, err := shared.ExecContext(ctx, "COMMIT", nil); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	committed = true
	return nil
}

// isBusy reports whether a statement gave up waiting for what another process has locked.
func isBusy(err error) bool {
	lite, ok := errors.AsType[*sqlite.Error](err)
	return ok && lite.Code()&0xff == sqlite3.SQLITE_BUSY
}

// joiningConnector makes one connection look like as many as are wanted. Nothing may
// happen on two of them at a time.
type joiningConnector struct{ shared engineConn }

// Connect returns the connection.
func (c joiningConnector) Connect(context.Context) (driver.Conn, error) {
	return joiningConn{c.shared}, nil
}

// Driver returns nothing that connects.
func (c joiningConnector) Driver() driver.Driver { return nil }

// joiningConn is a connection that is amid a transaction and stays so.
type joiningConn struct{ engineConn }

// Close leaves the connection open.
func (joiningConn) Close() error { return nil }

// BeginTx begins a transaction within the transaction.
func (c joiningConn) BeginTx(ctx context.Context, _ driver.TxOptions) (driver.Tx, error) {
	return c, c.exec(ctx, "SAVEPOINT joined")
}

// Commit commits the inner transaction.
func (c joiningConn) Commit() error { return c.exec(context.Background(), "RELEASE joined") }

// Rollback takes the inner transaction back.
func (c joiningConn) Rollback() error {
	return errors.Join(c.exec(context.Background(), "ROLLBACK TO joined"), c.Commit())
}

func (c joiningConn) exec(ctx context.Context, statement string) error {
	_, err := c.ExecContext(ctx, statement, nil)
	return err
}
