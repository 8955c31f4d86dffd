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
	if rows.Next() {   // this calls fn with all rows; see eachRows
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

// eachOf returns the rows of a query as its connection returns them to database/sql.
func eachOf(ctx context.Context, query string, rows driver.Rows, err error) (driver.Rows, error) {
	wanted, _ := ctx.Value(eachKey{}).(each)
	if err != nil || wanted.query != query {
		return rows, err
	}
	return eachRows{rows, wanted.fn}, nil
}

// eachRows hand all rows to the function of [Each] when database/sql asks for the first, and then say that there is none.
type eachRows struct {
	driver.Rows

	fn func(row []driver.Value) (enough bool, err error)
}

// Next calls the function with all rows, or until it has enough.
func (r eachRows) Next(row []driver.Value) error {
	for {
		if err := r.Rows.Next(row); err != nil {
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
