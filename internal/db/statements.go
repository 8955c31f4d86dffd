package db

import (
	"context"
	"database/sql/driver"
)

// What a connection keeps prepared: statements with few parameters, which are the same
// ones again and again. Those with many are written for one batch.
const (
	keptParameters = 16
	keptStatements = 128
)

// preparing is a connector for connections that keep the statements they run prepared.
// To parse and plan a short statement takes longer than to run it, in Postgres as in
// SQLite.
type preparing struct{ driver.Connector }

// Connect connects.
func (c preparing) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &preparedConn{conn.(engineConn), map[string]preparedStatement{}}, nil
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
	driver.StmtQueryContext
	driver.StmtExecContext
}

// preparedConn is a connection that keeps statements until it is closed, which ends
// them, too. As with any connection, the rows of a query are closed before the next.
type preparedConn struct {
	engineConn

	statements map[string]preparedStatement
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
	statement, ok := c.statements[query]
	if ok || parameters == 0 || parameters > keptParameters || len(c.statements) == keptStatements {
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
