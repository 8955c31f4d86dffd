package db

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"

	"github.com/message-service/message-service/internal/dbtest"
)

// TestLookWithoutResult has no room for the second connection that a look takes: no
// statement is kept on that one, nor on one made soon after, until a later look can be made.
func TestLookWithoutResult(t *testing.T) {
	t.Parallel()
	address, err := parseAddress(dbtest.NewSchema(t))
	if err != nil {
		t.Fatal(err)
	}
	dials := 0
	server := newServer(slog.New(slog.DiscardHandler))
	connector := newConnector(server, address, dialer{wrap: func(conn net.Conn) net.Conn {
		if dials++; dials == 2 {
			_ = conn.Close() // it is the test that there is none
		}
		return conn
	}})
	connector.pooled, connector.keeping = true, true
	pool := sql.OpenDB(connector)
	defer pool.Close() //nolint:errcheck // the test is over
	connect := func() *sql.Conn {
		conn, err := pool.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return conn
	}
	check := func(which string, conn *sql.Conn, want int) {
		t.Helper()
		var one, kept int
		err := errors.Join(
			conn.QueryRowContext(t.Context(), "SELECT $1::int", 1).Scan(&one),
			conn.QueryRowContext(t.Context(), "SELECT count(*) FROM pg_prepared_statements").Scan(&kept))
		if err != nil || kept != want {
			t.Errorf("%s: %d statements are kept, want %d: %v", which, kept, want, err)
		}
	}
	looked, soonAfter := connect(), connect()
	check("looked at in vain", looked, 0)
	if dials != 3 {
		t.Fatalf("%d connections were made, want the two and one that failed", dials)
	}
	check("made soon after", soonAfter, 0)
	server.probed.Store(-int64(poolerInterval)) // as if it were long ago
	check("looked at later", connect(), 1)
	check("looked at in vain, and cleared later", looked, 1)
}

// fakeConn is a connection, and a transaction, that fails as a test wants.
type fakeConn struct {
	engineConn

	exec   func(context.Context) error
	commit error
}

func (c fakeConn) Connect(context.Context) (driver.Conn, error) {
	return newSession(newServer(slog.New(slog.DiscardHandler)), c, 0, false, false), nil
}

func (c fakeConn) Driver() driver.Driver              { return nil }
func (c fakeConn) Close() error                       { return nil }
func (c fakeConn) IsValid() bool                      { return true }
func (c fakeConn) ResetSession(context.Context) error { return nil }
func (c fakeConn) Commit() error                      { return c.commit }
func (c fakeConn) Rollback() error                    { return nil }

func (c fakeConn) ExecContext(ctx context.Context, _ string, _ []driver.NamedValue) (driver.Result, error) {
	return driver.ResultNoRows, c.exec(ctx)
}

// TestForeignStatementAtOnce has another connection notice the pooler while a kept
// statement fails: it is run again all the same, once.
func TestForeignStatementAtOnce(t *testing.T) {
	t.Parallel()
	for name, again := range map[string]error{"done": nil, "never": &pq.Error{Code: pqerror.DuplicatePstatement}} {
		server, runs := newServer(slog.New(slog.DiscardHandler)), 0
		server.cleared.Store(0)
		session := newSession(server, fakeConn{exec: func(ctx context.Context) error {
			if runs++; !IsUnprepared(ctx) {
				server.share("another connection has met it")
				return &pq.Error{Code: pqerror.DuplicatePstatement}
			}
			return again
		}}, 0, false, false)
		if _, err := session.ExecContext(t.Context(), "INSERT", nil); !errors.Is(err, again) || runs != 2 {
			t.Errorf("%s: %d runs, want 2: %v", name, runs, err)
		}
	}
}

// TestTransactionRepeated looks which transactions are run again: those that certainly
// stored nothing. Of an error of COMMIT that is so only where another one was preferred.
func TestTransactionRepeated(t *testing.T) {
	t.Parallel()
	const bindRoutine = "exec_bind_message"
	for name, test := range map[string]struct {
		fails, commit error
		runs          int
	}{
		"stored":                            {runs: 1},
		"deadlock":                          {fails: &pq.Error{Code: pqerror.TRDeadlockDetected}, runs: txAttempts},
		"a statement that was there":        {fails: &pq.Error{Code: pqerror.DuplicatePstatement}, runs: txAttempts},
		"a statement that is missing":       {fails: &pq.Error{Code: pqerror.InvalidSQLStatementName}, runs: txAttempts},
		"somebody else's statement":         {fails: &pq.Error{Code: pqerror.ProtocolViolation, Routine: bindRoutine}, runs: txAttempts},
		"PgBouncer":                         {fails: &pq.Error{Code: pqerror.ProtocolViolation}, runs: 1},
		"unique":                            {fails: &pq.Error{Code: pqerror.UniqueViolation}, runs: 1},
		"COMMIT, serialization":             {commit: &pq.Error{Code: pqerror.TRSerializationFailure}, runs: txAttempts},
		"COMMIT, deadlock":                  {commit: &pq.Error{Code: pqerror.TRDeadlockDetected}, runs: txAttempts},
		"COMMIT, PgBouncer":                 {commit: &pq.Error{Code: pqerror.ProtocolViolation}, runs: 1},
		"COMMIT, somebody else's statement": {commit: &pq.Error{Code: pqerror.ProtocolViolation, Routine: bindRoutine}, runs: 1},
		"COMMIT, a statement is missing":    {commit: &pq.Error{Code: pqerror.InvalidSQLStatementName}, runs: 1},
		"COMMIT, unknown":                   {commit: &pq.Error{Code: "40003"}, runs: 1},
		"COMMIT, no connection":             {commit: driver.ErrBadConn, runs: 1},
	} {
		pool := sql.OpenDB(fakeConn{commit: test.commit, exec: func(context.Context) error { return nil }})
		runs := 0
		err := (&DB{Engine: Postgres, write: sqlx.NewDb(pool, "postgres")}).Tx(t.Context(), time.Minute, func(context.Context, *sqlx.Tx) error {
			runs++
			return test.fails
		})
		if want := cmp.Or(test.fails, test.commit); runs != test.runs || !errors.Is(err, want) {
			t.Errorf("%s: %d runs, want %d: %v", name, runs, test.runs, err)
		}
		if test.commit != nil && !errors.Is(err, ErrUnavailable) {
			t.Errorf("%s: %v does not leave open whether it was stored", name, err)
		}
		if err := pool.Close(); err != nil {
			t.Error(err)
		}
	}
}
