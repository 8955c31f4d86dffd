package db

import (
	"cmp"
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
)

// fakeConn is a connection and a transaction with the failures of a test.
type fakeConn struct {
	engineConn

	exec   func(context.Context) error
	commit error
}

func (c fakeConn) Connect(context.Context) (driver.Conn, error) {
	return newSession(newServer(slog.New(slog.DiscardHandler)), newPreparedConn(c, false, nil), 0, false, false), nil
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

// TestForeignStatementAtOnce has another connection detect the pooler while a prepared statement
// fails: the statement must run again nevertheless, once.
func TestForeignStatementAtOnce(t *testing.T) {
	t.Parallel()
	for name, again := range map[string]error{"done": nil, "never": &pq.Error{Code: pqerror.DuplicatePstatement}} {
		server, runs := newServer(slog.New(slog.DiscardHandler)), 0
		server.cleared.Store(0)
		session := newSession(server, newPreparedConn(fakeConn{exec: func(ctx context.Context) error {
			if runs++; !HasCustomPlan(ctx) {
				server.recordPooler("another connection has met it")
				return &pq.Error{Code: pqerror.DuplicatePstatement}
			}
			return again
		}}, false, nil), 0, false, true)
		if _, err := session.ExecContext(t.Context(), "INSERT", nil); !errors.Is(err, again) || runs != 2 {
			t.Errorf("%s: %d runs, want 2: %v", name, runs, err)
		}
	}
}

// TestTransactionRepeated checks that only transactions that certainly stored nothing run again.
// Among errors of COMMIT, only a serialization failure is certain.
func TestTransactionRepeated(t *testing.T) {
	t.Parallel()
	const bindRoutine = "exec_bind_message"
	for name, test := range map[string]struct {
		fails, commit error
		runs          int
	}{
		"stored":                            {runs: 1},
		"deadlock":                          {fails: &pq.Error{Code: pqerror.TRDeadlockDetected}, runs: txAttempts},
		"a statement of that name exists":   {fails: &pq.Error{Code: pqerror.DuplicatePstatement}, runs: txAttempts},
		"a statement that is missing":       {fails: &pq.Error{Code: pqerror.InvalidSQLStatementName}, runs: txAttempts},
		"another connection's statement":    {fails: &pq.Error{Code: pqerror.ProtocolViolation, Routine: bindRoutine}, runs: txAttempts},
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
