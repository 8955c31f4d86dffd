package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// inOneTransaction runs fn with a pool whose statements are all part of one transaction of
// SQLite, even where fn begins and commits some. Other processes that want to do the same
// wait for its end, and see all of it or nothing.
func (d *DB) inOneTransaction(ctx context.Context, fn func(*sql.DB) error) error {
	return d.sqlite.write(ctx, true, func() error {
		var conn *sql.Conn
		for start := time.Now(); ; {
			var err error
			if conn, err = d.write.Conn(ctx); err == nil {
				break
			}
			// SQLite does not wait for a lock where that could be for ever, as where another
			// process makes the file.
			if !IsBusy(err) || time.Since(start) > busyTimeout {
				return err
			}
		}
		defer conn.Close() //nolint:errcheck // it is given back
		return conn.Raw(func(raw any) (err error) {
			shared := raw.(engineConn)
			if _, err = shared.ExecContext(ctx, "BEGIN IMMEDIATE", nil); err != nil {
				return fmt.Errorf("begin: %w", err)
			}
			end := "ROLLBACK"
			defer func() { // fn may panic
				_, endErr := shared.ExecContext(context.WithoutCancel(ctx), end, nil)
				err = errors.Join(err, endErr)
			}()
			pool := sql.OpenDB(joiningConnector{shared})
			defer pool.Close() //nolint:errcheck // its connections are not closed
			if err := fn(pool); err != nil {
				return err
			}
			end = "COMMIT"
			return nil
		})
	})
}

// IsBusy reports whether a statement gave up waiting for what another process has locked.
func IsBusy(err error) bool {
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
