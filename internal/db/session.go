package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"time"

	"github.com/lib/pq"
	"github.com/lib/pq/pqerror"
)

// session is a connection to Postgres that detects when it has become useless. When one session
// finds that its server cannot write, as after a failover, all older connections are dropped: they
// are to the same server, or to the former primary.
type session struct {
	*preparedConn

	server     *server
	generation int64         // of the server, when the connection was made
	begun      time.Duration // when connecting began, on the server's clock
	made       time.Time
	readOnly   bool // transactions are read-only by default
	prepare    bool // keep statements prepared
	broken     bool
	inTx       bool
}

func newSession(s *server, conn *preparedConn, begun time.Duration, readOnly, prepare bool) *session {
	return &session{
		preparedConn: conn, server: s, generation: s.generation.Load(), begun: begun, made: time.Now(), readOnly: readOnly, prepare: prepare,
	}
}

// readOnlyAge is the longest life of a connection whose transactions are read-only by default: only
// a new session sees that the operator has changed that default.
const readOnlyAge = time.Second

// isUsable reports whether the connection may be used again.
func (s *session) isUsable() bool {
	return !s.broken && s.generation == s.server.generation.Load() && (!s.readOnly || time.Since(s.made) < readOnlyAge)
}

// IsValid reports whether the connection may go back into the pool.
func (s *session) IsValid() bool { return s.isUsable() && s.preparedConn.IsValid() }

// ResetSession is called before the connection leaves the pool.
func (s *session) ResetSession(ctx context.Context) error {
	if !s.isUsable() {
		return driver.ErrBadConn
	}
	return s.engineConn.ResetSession(ctx)
}

// QueryContext runs a query.
func (s *session) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	ctx = s.context(ctx)
	rows, err := s.preparedConn.QueryContext(ctx, query, args)
	if s.isToRepeat(ctx, err) {
		rows, err = s.preparedConn.QueryContext(WithCustomPlan(ctx), query, args)
	}
	return rows, s.judge(err)
}

// ExecContext runs a statement.
func (s *session) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	ctx = s.context(ctx)
	result, err := s.preparedConn.ExecContext(ctx, query, args)
	if s.isToRepeat(ctx, err) {
		result, err = s.preparedConn.ExecContext(WithCustomPlan(ctx), query, args)
	}
	return result, s.judge(err)
}

// context keeps statements from being prepared unless a probe has shown that there is no pooler,
// through which another connection may have prepared one of the same name.
func (s *session) context(ctx context.Context) context.Context {
	if s.prepare && s.server.isCleared(s.begun) {
		return ctx
	}
	return WithCustomPlan(ctx)
}

// isToRepeat records that a prepared statement was not this connection's own, and reports whether
// it may run again unprepared. It did nothing, but in a transaction its error has aborted that.
func (s *session) isToRepeat(ctx context.Context, err error) bool {
	if err == nil || !isForeignStatement(err) {
		return false
	}
	s.server.recordPooler("prepared statements are not those of the connection")
	return !s.inTx && !HasCustomPlan(ctx)
}

// judge marks the connection as broken if an error means that its server cannot write. Outside a
// transaction the statement did nothing, so ErrBadConn lets database/sql retry it, at last on a new
// connection.
func (s *session) judge(err error) error {
	if err == nil || !isReadOnly(err) {
		return err
	}
	s.broken = true
	if s.readOnly { // it was so from the start, and other connections are no better
		return err
	}
	s.server.generation.Add(1)
	if s.inTx {
		return err
	}
	return driver.ErrBadConn
}

// idleMost is how long a transaction may do nothing before Postgres ends it. Otherwise a server that is frozen, or cut off
// from Postgres, would keep its locks, and nobody could write to the mailboxes of a group's members through another one.
const idleMost = "5s"

// BeginTx begins a transaction. It is read-only by options.ReadOnly or by the operator's
// default_transaction_read_only, which pq would override with READ WRITE.
func (s *session) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	if options.ReadOnly {
		tx, err := s.preparedConn.BeginTx(ctx, options)
		if err != nil {
			return nil, err
		}
		s.inTx = true
		return transaction{tx, s}, nil
	}
	begin := "BEGIN"
	switch sql.IsolationLevel(options.Isolation) {
	case sql.LevelDefault:
	case sql.LevelReadCommitted:
		begin += " ISOLATION LEVEL READ COMMITTED"
	default:
		return nil, errors.New("this isolation level is not in use")
	}
	if _, bounded := ctx.Deadline(); bounded { // in the same round trip; not for an import, which may wait for its input
		begin += "; SET LOCAL idle_in_transaction_session_timeout = '" + idleMost + "'"
	}
	if _, err := s.ExecContext(ctx, begin, nil); err != nil {
		return nil, err
	}
	s.inTx = true
	return transaction{preparedTx{s.engineConn.(driver.Tx), s.preparedConn}, s}, nil
}

// transaction is a transaction of a session.
type transaction struct {
	driver.Tx

	session *session
}

// Commit ends the transaction.
func (t transaction) Commit() error {
	t.session.inTx = false
	return t.Tx.Commit()
}

// Rollback ends the transaction.
func (t transaction) Rollback() error {
	t.session.inTx = false
	return t.Tx.Rollback()
}

// isReadOnly reports whether the server refused a write: it is a standby, or transactions are
// read-only by default.
func isReadOnly(err error) bool {
	return pq.As(err, pqerror.ReadOnlySQLTransaction) != nil
}

// isForeignStatement reports whether a prepared statement is missing or is that of another
// connection, as behind a pooler in transaction mode. It was not run then. If its parameters
// differ, Postgres reports a protocol violation. PgBouncer uses that code for all its own errors,
// but without a routine. The message cannot be used, since it depends on the server's language.
func isForeignStatement(err error) bool {
	found := pq.As(err, pqerror.InvalidSQLStatementName, pqerror.DuplicatePstatement, pqerror.ProtocolViolation)
	return found != nil && (found.Code != pqerror.ProtocolViolation || found.Routine == "exec_bind_message")
}
