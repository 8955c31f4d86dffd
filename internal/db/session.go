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

// session is a connection to Postgres that notices when it is of no use any more. When it
// meets a server that cannot write, as after a failover, all connections that were made
// before are given up: they are to the same server, or to one that was the primary.
type session struct {
	engineConn

	raw        driver.Conn // what pq made
	server     *server
	generation int64         // of the server
	begun      time.Duration // when it was begun to be made, as the server counts
	made       time.Time
	readOnly   bool // transactions are, by default
	broken     bool
	inTx       bool
}

func newSession(s *server, conn driver.Conn, begun time.Duration, readOnly, keeping bool) *session {
	c := &session{engineConn: conn.(engineConn), raw: conn, server: s, generation: s.generation.Load(), begun: begun, made: time.Now(), readOnly: readOnly}
	if keeping {
		c.engineConn = &preparedConn{c.engineConn, map[string]preparedStatement{}, false}
	}
	return c
}

// readOnlyAge is how long a connection is used whose transactions are read-only by
// default. That default is of the session, so it takes a new one to see it change.
const readOnlyAge = time.Second

// isUsable reports whether the connection may be used for something new.
func (s *session) isUsable() bool {
	return !s.broken && s.generation == s.server.generation.Load() && (!s.readOnly || time.Since(s.made) < readOnlyAge)
}

// IsValid reports whether the connection may go back into the pool.
func (s *session) IsValid() bool { return s.isUsable() && s.engineConn.IsValid() }

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
	rows, err := s.engineConn.QueryContext(ctx, query, args)
	if s.isToRepeat(ctx, err) {
		rows, err = s.engineConn.QueryContext(Unprepared(ctx), query, args)
	}
	return rows, s.judge(err)
}

// ExecContext runs a statement.
func (s *session) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	ctx = s.context(ctx)
	result, err := s.engineConn.ExecContext(ctx, query, args)
	if s.isToRepeat(ctx, err) {
		result, err = s.engineConn.ExecContext(Unprepared(ctx), query, args)
	}
	return result, s.judge(err)
}

// context keeps statements from being prepared where another connection may have named
// its own alike.
func (s *session) context(ctx context.Context) context.Context {
	if s.server.isCleared(s.begun) {
		return ctx
	}
	return Unprepared(ctx)
}

// isToRepeat notes that a prepared statement was not the one of this connection, and
// reports whether it can be run otherwise: it did nothing, but has ended a transaction.
func (s *session) isToRepeat(ctx context.Context, err error) bool {
	if err == nil || !isForeignStatement(err) {
		return false
	}
	s.server.share("prepared statements are not those of the connection")
	return !s.inTx && !IsUnprepared(ctx)
}

// judge looks at an error for what it says of the connection. Outside a transaction the
// statement did nothing, and database/sql tries it again, at last on a new connection.
func (s *session) judge(err error) error {
	if err == nil || !isReadOnly(err) {
		return err
	}
	s.broken = true
	if s.readOnly { // as it was when it was made, and no other will do better
		return err
	}
	s.server.generation.Add(1)
	if s.inTx {
		return err
	}
	return driver.ErrBadConn
}

// BeginTx begins a transaction. Only what says so is read-only, or what the operator has
// made so: pq would say READ WRITE, and overrule default_transaction_read_only.
func (s *session) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	if options.ReadOnly {
		tx, err := s.engineConn.BeginTx(ctx, options)
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
	if _, err := s.ExecContext(ctx, begin, nil); err != nil {
		return nil, err
	}
	s.inTx = true
	return transaction{s.raw.(driver.Tx), s}, nil
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

// CheckNamedValue converts a parameter as pq does.
func (s *session) CheckNamedValue(value *driver.NamedValue) error {
	return s.raw.(driver.NamedValueChecker).CheckNamedValue(value)
}

// isReadOnly reports whether a statement was to write and the server does not let it: it
// is a standby, or transactions are read-only by default.
func isReadOnly(err error) bool {
	return pq.As(err, pqerror.ReadOnlySQLTransaction) != nil
}

// isForeignStatement reports whether a prepared statement is missing, or is somebody
// else's, as where connections are shared between transactions. It was not run then. Where
// it takes other parameters Postgres calls that a violation of the protocol, as PgBouncer
// calls everything that it says itself; but PgBouncer names no routine. What the message
// says depends on the language of the server.
func isForeignStatement(err error) bool {
	found := pq.As(err, pqerror.InvalidSQLStatementName, pqerror.DuplicatePstatement, pqerror.ProtocolViolation)
	return found != nil && (found.Code != pqerror.ProtocolViolation || found.Routine == "exec_bind_message")
}
