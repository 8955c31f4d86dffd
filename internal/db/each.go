package db

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"

	"github.com/jmoiron/sqlx"
)

// Each runs a query and calls fn with the values of each row, as the driver returns them, until fn has enough. fn must not keep
// a []byte that is among them. Each bypasses sql.Rows, whose locks and conversions take as long as the driver itself.
func Each(ctx context.Context, q sqlx.QueryerContext, fn func(row []driver.Value) (enough bool, err error), query string, args ...any) error {
	rows, err := q.QueryxContext(context.WithValue(ctx, eachKey{}, each{query, fn}), query, args...)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // it is read as far as needed, or there is another error
	if rows.Next() {   // this calls fn with all rows; see guardedRows
		return errors.New("the connection does not know of Each")
	}
	return rows.Err()
}

type eachKey struct{}

// each is a call of [Each].
type each struct {
	query string // since q may run others with the same context
	fn    func(row []driver.Value) (enough bool, err error)
}

// rowsOf returns the rows of a query as the connection returns them to database/sql.
func (c *preparedConn) rowsOf(ctx context.Context, query string, rows driver.Rows, err error) (driver.Rows, error) {
	if err != nil {
		return nil, err
	}
	wanted, _ := ctx.Value(eachKey{}).(each)
	if wanted.query != query {
		wanted.fn = nil
	}
	return guardedRows{rows, c, wanted.fn}, nil
}

// guardedRows are rows whose panics are errors.
type guardedRows struct {
	driver.Rows

	conn *preparedConn
	fn   func(row []driver.Value) (enough bool, err error) // of [Each], or nil
}

// Next reads a row; or hands all rows to the function of [Each], and then says that there is none.
func (r guardedRows) Next(row []driver.Value) (err error) {
	defer r.conn.guard(&err)
	for {
		if err := r.Rows.Next(row); err != nil || r.fn == nil {
			return err
		}
		enough, err := r.fn(row)
		if err != nil {
			return err
		}
		if enough {
			return io.EOF
		}
	}
}

// Close ends the query.
func (r guardedRows) Close() (err error) {
	defer r.conn.guard(&err)
	return r.Rows.Close()
}
