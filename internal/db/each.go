package db

import (
	"context"
	"database/sql/driver"
	"io"

	"github.com/jmoiron/sqlx"
)

// Each runs a query and calls fn with the values of each row, as the driver returns them, until fn has enough. fn must not keep
// a []byte that is among them. It reads the rows below database/sql, which takes as long for each as the driver does.
func Each(ctx context.Context, q sqlx.QueryerContext, fn func(row []driver.Value) (enough bool, err error), query string, args ...any) error {
	rows, err := q.QueryxContext(context.WithValue(ctx, eachKey{}, each{query, fn}), query, args...)
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // it is read as far as needed, or there is another error
	rows.Next()        // calls fn with all of them, and so finds none
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
	if _, already := rows.(eachRows); already || err != nil || wanted.query != query {
		return rows, err
	}
	return eachRows{rows, wanted.fn}, nil
}

// eachRows are the rows of [Each], and no rows for database/sql.
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
