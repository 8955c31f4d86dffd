package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"

	"github.com/message-service/message-service/internal/panics"
)

// MaxPreparedParameters is the most parameters of a statement that a connection keeps prepared. Statements
// with more are those of batches, which rarely repeat; but see [Batches].
const MaxPreparedParameters = 16

// maxPreparedStatements is the most statements that a connection keeps prepared.
const maxPreparedStatements = 128

// Trace is called with a statement, and its parameters as the driver gets them, before it runs.
type Trace func(statement string, parameters []driver.NamedValue)

type customPlanKey struct{}

// WithCustomPlan makes Postgres plan statements with their actual parameters (a custom plan), by not
// preparing them. Postgres may give a prepared statement a generic plan, which may pick the wrong
// one of two indexes when users differ much in size.
func WithCustomPlan(ctx context.Context) context.Context {
	return context.WithValue(ctx, customPlanKey{}, true)
}

// HasCustomPlan reports whether a context is from [WithCustomPlan].
func HasCustomPlan(ctx context.Context) bool { return ctx.Value(customPlanKey{}) != nil }

// preparing is a connector whose connections keep their statements prepared. In both engines,
// parsing and planning a short statement takes longer than running it.
type preparing struct {
	driver.Connector

	always bool  // even with [WithCustomPlan]: SQLite's plans do not depend on parameters
	trace  Trace // may be nil
}

// Connect connects. A panic is an error, since database/sql also connects in a goroutine of its own.
func (c preparing) Connect(ctx context.Context) (_ driver.Conn, err error) {
	defer panics.AsError(&err)
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return newPreparedConn(conn, c.always, c.trace), nil
}

// engineConn has the methods that connections of both drivers have.
type engineConn interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.QueryerContext
	driver.ExecerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// preparedStatement has the methods that statements of both drivers have.
type preparedStatement interface {
	driver.Stmt
	driver.StmtQueryContext
	driver.StmtExecContext
}

// preparedConn is a connection that keeps its statements prepared until it is closed, and traces them.
//
// It makes an error of a panic of the driver, and is closed then. database/sql would never get back a connection whose query has
// panicked: its transaction could not end, and a pool of one would have none for ever.
type preparedConn struct {
	engineConn

	statements map[string]preparedStatement
	always     bool
	trace      Trace
	panicked   bool
}

func newPreparedConn(conn driver.Conn, always bool, trace Trace) *preparedConn {
	if trace == nil {
		trace = func(string, []driver.NamedValue) {}
	}
	return &preparedConn{engineConn: conn.(engineConn), statements: map[string]preparedStatement{}, always: always, trace: trace}
}

// IsValid reports whether the connection may go back into the pool.
func (c *preparedConn) IsValid() bool { return !c.panicked && c.engineConn.IsValid() }

// guard, when it is deferred, makes an error of a panic.
func (c *preparedConn) guard(err *error) {
	if cause := recover(); cause != nil {
		c.panicked, *err = true, panics.Of(cause)
	}
}

// Close closes the connection, and before it the statements of SQLite, which otherwise keep it
// open. In Postgres they end with the session.
func (c *preparedConn) Close() error {
	var errs []error
	if c.always {
		for _, statement := range c.statements {
			errs = append(errs, c.close(statement))
		}
	}
	return errors.Join(append(errs, c.close(c.engineConn))...)
}

// close closes a part of the connection. database/sql does so in goroutines of its own, too.
func (c *preparedConn) close(part io.Closer) (err error) {
	defer c.guard(&err)
	return part.Close()
}

// QueryContext runs a query.
func (c *preparedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (_ driver.Rows, err error) {
	defer c.guard(&err)
	c.trace(query, args)
	statement, err := c.statement(ctx, query, len(args))
	if err != nil {
		return nil, err
	}
	if statement == nil {
		rows, err := c.engineConn.QueryContext(ctx, query, args)
		return c.rowsOf(ctx, query, rows, err)
	}
	rows, err := statement.QueryContext(ctx, args)
	return c.rowsOf(ctx, query, rows, err)
}

// ExecContext runs a statement.
func (c *preparedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (_ driver.Result, err error) {
	defer c.guard(&err)
	c.trace(query, args)
	statement, err := c.statement(ctx, query, len(args))
	if err != nil {
		return nil, err
	}
	if statement == nil {
		return c.engineConn.ExecContext(ctx, query, args)
	}
	return statement.ExecContext(ctx, args)
}

// BeginTx begins a transaction.
func (c *preparedConn) BeginTx(ctx context.Context, options driver.TxOptions) (_ driver.Tx, err error) {
	defer c.guard(&err)
	c.trace("BEGIN", nil)
	tx, err := c.engineConn.BeginTx(ctx, options)
	if err != nil {
		return nil, err
	}
	return preparedTx{tx, c}, nil
}

// preparedTx is a transaction of a connection that makes errors of panics.
type preparedTx struct {
	driver.Tx

	conn *preparedConn
}

// Commit ends the transaction.
func (t preparedTx) Commit() (err error) {
	defer t.conn.guard(&err)
	return t.Tx.Commit()
}

// Rollback ends the transaction.
func (t preparedTx) Rollback() (err error) {
	defer t.conn.guard(&err)
	return t.Tx.Rollback()
}

// statement returns the prepared statement, or nil if the query is not to be prepared.
func (c *preparedConn) statement(ctx context.Context, query string, parameters int) (preparedStatement, error) {
	if !c.always && HasCustomPlan(ctx) {
		return nil, nil //nolint:nilnil // nil means that it is not prepared
	}
	statement, ok := c.statements[query]
	many := parameters > MaxPreparedParameters && ctx.Value(keptKey{}) == nil
	if ok || parameters == 0 || many || len(c.statements) == maxPreparedStatements {
		return statement, nil
	}
	prepared, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	statement = prepared.(preparedStatement)
	c.statements[query] = statement
	return statement, nil
}

// CheckNamedValue converts a parameter as the driver does.
func (c *preparedConn) CheckNamedValue(value *driver.NamedValue) error {
	if checker, ok := c.engineConn.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(value)
	}
	return driver.ErrSkip
}
