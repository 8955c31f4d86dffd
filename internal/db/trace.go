package db

import (
	"context"
	"database/sql/driver"
)

// Trace is called with a statement, and its parameters as the driver gets them, before it runs.
type Trace func(statement string, parameters []driver.NamedValue)

// tracing is a connector whose connections are traced.
type tracing struct {
	driver.Connector

	trace Trace // may be nil
}

// Connect connects.
func (c tracing) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return traced(conn.(engineConn), c.trace), nil
}

// traced makes a connection call trace for each statement, unless that is nil.
func traced(conn engineConn, trace Trace) engineConn {
	if trace == nil {
		return conn
	}
	return &tracedConn{conn, trace}
}

type tracedConn struct {
	engineConn

	trace Trace
}

// QueryContext runs a query.
func (c *tracedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	c.trace(query, args)
	return c.engineConn.QueryContext(ctx, query, args)
}

// ExecContext runs a statement.
func (c *tracedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	c.trace(query, args)
	return c.engineConn.ExecContext(ctx, query, args)
}

// BeginTx begins a transaction of SQLite; those of Postgres begin by a statement.
func (c *tracedConn) BeginTx(ctx context.Context, options driver.TxOptions) (driver.Tx, error) {
	c.trace("BEGIN", nil)
	return c.engineConn.BeginTx(ctx, options)
}

// CheckNamedValue converts a parameter as the driver does.
func (c *tracedConn) CheckNamedValue(value *driver.NamedValue) error {
	if checker, ok := c.engineConn.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(value)
	}
	return driver.ErrSkip
}
