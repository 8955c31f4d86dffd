package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"modernc.org/sqlite"

	"github.com/message-service/message-service/internal/panics"
)

// registerPanics adds an SQL function that panics, to the connections that are opened from then on: a second time would fail.
var registerPanics = sync.OnceFunc(func() {
	sqlite.MustRegisterScalarFunction("panics_now", 0, func(*sqlite.FunctionContext, []driver.Value) (driver.Value, error) { panic("out of order") })
})

// TestDriverPanics has statements panic in the driver, in a transaction and outside: each is an error, and the next ones run.
func TestDriverPanics(t *testing.T) {
	t.Parallel()
	registerPanics()
	database, err := Open("sqlite:"+filepath.Join(t.TempDir(), "store.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer database.Close() //nolint:errcheck // the test is over
	write := func(statement string, query bool) error {
		return database.Tx(t.Context(), 10*time.Second, func(ctx context.Context, tx *sqlx.Tx) error {
			if query {
				var n int
				return tx.GetContext(ctx, &n, statement)
			}
			_, err := tx.ExecContext(ctx, statement)
			return err
		})
	}
	read := func(statement string) error {
		return database.Read(t.Context(), func(ctx context.Context, q sqlx.QueryerContext) error {
			var n int
			return sqlx.GetContext(ctx, q, &n, statement)
		})
	}
	if err := write("CREATE TABLE x (y)", false); err != nil {
		t.Fatal(err)
	}
	for range 20 { // more often than there are connections
		for _, err := range []error{write("INSERT INTO x VALUES (panics_now())", false), write("SELECT panics_now()", true), read("SELECT panics_now()")} {
			if !errors.Is(err, panics.Err) {
				t.Errorf("no panic, but %v", err)
			}
		}
		if err := errors.Join(write("INSERT INTO x VALUES (1)", false), write("SELECT 1", true), read("SELECT 1")); err != nil {
			t.Errorf("after a panic: %v", err)
		}
	}
}

// panicking is a connection whose transactions panic when they end, and for reading when they begin, and so do rows when they are read.
// Closing panics, too.
type panicking struct {
	engineConn
	driver.Rows
}

func (panicking) IsValid() bool             { return true }
func (panicking) Commit() error             { panic("in a commit") }
func (panicking) Rollback() error           { panic("in a rollback") }
func (panicking) Next([]driver.Value) error { panic("over a row") }
func (panicking) Close() error              { panic("in closing") }

func (panicking) ExecContext(context.Context, string, []driver.NamedValue) (driver.Result, error) {
	return driver.ResultNoRows, nil
}

func (c panicking) QueryContext(context.Context, string, []driver.NamedValue) (driver.Rows, error) {
	return c, nil
}

func (c panicking) BeginTx(_ context.Context, options driver.TxOptions) (driver.Tx, error) {
	if options.ReadOnly {
		panic("in a beginning")
	}
	return c, nil
}

// TestConnectionPanics has transactions panic when they begin and when they end, rows when they are read and closed, and connections when they
// are closed: each panic is an error, the connection is not used again, and it is unknown what was stored.
func TestConnectionPanics(t *testing.T) {
	t.Parallel()
	connect := map[Engine]func() engineConn{
		SQLite: func() engineConn { return newPreparedConn(panicking{}, true, nil) },
		Postgres: func() engineConn {
			return newSession(newServer(slog.New(slog.DiscardHandler)), newPreparedConn(panicking{}, false, nil), 0, false, true)
		},
	}
	for name, run := range map[string]func(c engineConn) error{
		"read a row": func(c engineConn) error {
			rows, err := c.QueryContext(t.Context(), "SELECT", nil)
			return errors.Join(err, rows.Next(nil))
		},
		"close rows": func(c engineConn) error {
			rows, err := c.QueryContext(t.Context(), "SELECT", nil)
			return errors.Join(err, rows.Close())
		},
		"begin": func(c engineConn) error {
			_, err := c.BeginTx(t.Context(), driver.TxOptions{ReadOnly: true})
			return err
		},
		"commit": func(c engineConn) error {
			tx, err := c.BeginTx(t.Context(), driver.TxOptions{})
			return errors.Join(err, tx.Commit())
		},
		"rollback": func(c engineConn) error {
			tx, err := c.BeginTx(t.Context(), driver.TxOptions{})
			return errors.Join(err, tx.Rollback())
		},
		"close": func(c engineConn) error { return c.Close() },
	} {
		for engine, connect := range connect {
			c := connect()
			if err := run(c); !errors.Is(err, panics.Err) || !IsLost(err) || c.IsValid() {
				t.Errorf("%s, %s: %v; the connection is valid: %t", engine, name, err, c.IsValid())
			}
		}
	}
}

// closing is a connection that notes that it is closed.
type closing struct {
	engineConn

	closed bool
}

func (c *closing) Close() error {
	c.closed = true
	return nil
}

// TestStatementPanics has a statement of SQLite panic when it is closed: the connection, which may hold the lock of the file, is closed
// nevertheless.
func TestStatementPanics(t *testing.T) {
	t.Parallel()
	inner := &closing{}
	c := newPreparedConn(inner, true, nil)
	c.statements["SELECT"] = struct{ preparedStatement }{} // without what it closes
	if err := c.Close(); !errors.Is(err, panics.Err) || !inner.closed {
		t.Errorf("%v; the connection is closed: %t", err, inner.closed)
	}
}

// TestConnectPanics has connecting panic, which database/sql also does in a goroutine of its own.
func TestConnectPanics(t *testing.T) {
	t.Parallel()
	for engine, connector := range map[Engine]driver.Connector{
		SQLite:   preparing{}, // without what connects
		Postgres: &connector{server: newServer(slog.New(slog.DiscardHandler)), targets: []target{{}}},
	} {
		if _, err := connector.Connect(t.Context()); !errors.Is(err, panics.Err) {
			t.Errorf("%s: %v", engine, err)
		}
	}
}

// TestCheckpointPanics has checkpoints panic, and then what decides about them: once neither does, erased data is wiped from the log.
func TestCheckpointPanics(t *testing.T) {
	t.Parallel()
	log := make(lines, 10)
	path := filepath.Join(t.TempDir(), "store.db")
	database, err := Open("sqlite:"+path, Options{Log: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer database.Close() //nolint:errcheck // the test is over
	own := database.sqlite
	set := func(pool *sqlx.DB, file *sqliteFile) {
		own.mu.Lock()
		defer own.mu.Unlock()
		own.pool, own.file = pool, file
	}
	pool, file := own.pool, own.file
	set(nil, file)
	err = database.Tx(t.Context(), 10*time.Second, func(ctx context.Context, tx *sqlx.Tx) error { // which may erase
		_, err := tx.ExecContext(ctx, "CREATE TABLE x (y)")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		says string
		pool *sqlx.DB
		file *sqliteFile
	}{{"cannot be emptied", nil, nil}, {"a worker has panicked", pool, file}, {"could be emptied again", pool, file}} {
		for line := ""; !strings.Contains(line, step.says); {
			select {
			case line = <-log:
			case <-time.After(20 * time.Second):
				t.Fatalf("nothing says: %s", step.says)
			}
		}
		set(step.pool, step.file)
	}
	if info, err := os.Stat(path + "-wal"); err != nil || info.Size() > 0 {
		t.Errorf("the log is not wiped: %v, %v", info, err)
	}
}

// lines are what was logged.
type lines chan string

func (l lines) Write(line []byte) (int, error) {
	l <- string(line)
	return len(line), nil
}
