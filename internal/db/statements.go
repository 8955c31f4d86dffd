package db

import (
	"context"
	"database/sql/driver"
	"errors"
)

// KeptParameters is how many parameters a statement has at most that a connection keeps
// prepared. Those are the same ones again and again; one with more is written for a batch.
const KeptParameters = 16

// keptStatements is how many of them a connection keeps.
const keptStatements = 128

type unpreparedKey struct{}

// Unprepared marks what runs as in need of a plan of its own. Postgres gives a prepared
// statement one that suits any parameters, as it thinks, and that is a trap where two
// indexes would do and one of them is much longer for some.
func Unprepared(ctx context.Context) context.Context {
	return context.WithValue(ctx, unpreparedKey{}, true)
}

// IsUnprepared tells whether a context is marked so.
func IsUnprepared(ctx context.Context) bool { return ctx.Value(unpreparedKey{}) != nil }

// preparing is a connector for connections that keep the statements they run prepared.
// To parse and plan a short statement takes longer than to run it, in Postgres as in
// SQLite.
type preparing struct {
	driver.Connector

	regardless bool // of what is marked: the engine plans without looking at parameters
}

// Connect connects.
func (c preparing) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &preparedConn{conn.(engineConn), map[string]preparedStatement{}, c.regardless}, nil
}

// engineConn is what a connection of either driver can do.
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

// preparedStatement is what a statement of either driver can do.
type preparedStatement interface {
	driver.Stmt
	driver.StmtQueryContext
	driver.StmtExecContext
}

// preparedConn is a connection that keeps statements until it is closed. As with any
// connection, the rows of a query are closed before the next.
type preparedConn struct {
	engineConn

	statements map[string]preparedStatement
	regardless bool
}

// Close closes the statements and the connection. Postgres ends them with the session;
// SQLite keeps a connection open until they are closed.
func (c *preparedConn) Close() error {
	var errs []error
	if c.regardless {
		for _, statement := range c.statements {
			errs = append(errs, statement.Close())
		}
	}
	return errors.Join(append(errs, c.engineConn.Close())...)
}

// QueryContext runs a query.
func (c *preparedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	statement, err := c.statement(ctx, query, len(args))
	if err != nil {
		return nil, err
	}
	if statement == nil {
		return c.engineConn.QueryContext(ctx, query, args)
	}
	return statement.QueryContext(ctx, args)
}

// ExecContext runs a statement.
func (c *preparedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	statement, err := c.statement(ctx, query, len(args))
	if err != nil {
		return nil, err
	}
	if statement == nil {
		return c.engineConn.ExecContext(ctx, query, args)
	}
	return statement.ExecContext(ctx, args)
}

// statement returns the prepared statement, or nil if it is not one to keep.
func (c *preparedConn) statement(ctx context.Context, query string, parameters int) (preparedStatement, error) {
	if !c.regardless && IsUnprepared(ctx) {
		return nil, nil //nolint:nilnil // as it says
	}
	statement, ok := c.statements[query]
	if ok || parameters == 0 || parameters > KeptParameters || len(c.statements) == keptStatements {
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
