// Package table writes statements that read and write the rows of a table from one list of its columns, so
// that a new column is one line.
package table

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
)

// Column is a column of a table whose rows are values of type R.
type Column[R any] struct {
	Name   string
	Kind   string       // the type in Postgres
	Field  func(*R) any // returns a pointer to the value in a row
	Erased string       // the SQL of what a deletion replaces the value by; empty to keep it
	Member string       // its name in the JSON of the API; empty if it is not there
}

// Within makes columns of a part of a row into columns of the row.
func Within[R, P any](part func(*R) *P, columns []Column[P]) []Column[R] {
	whole := make([]Column[R], len(columns))
	for i, c := range columns {
		whole[i] = Column[R]{c.Name, c.Kind, func(row *R) any { return c.Field(part(row)) }, c.Erased, c.Member}
	}
	return whole
}

// Table is a table whose rows are values of type R. It writes its statements from a list of columns.
type Table[R any] struct {
	name    string
	columns []Column[R]
	list    string // the names of the columns
	insert  string // the INSERT up to VALUES
	row     string // the parameters of one row
}

// New makes a table.
func New[R any](name string, columns []Column[R]) *Table[R] {
	t := &Table[R]{name: name, columns: columns, row: "(?" + strings.Repeat(",?", len(columns)-1) + ")"}
	t.list = t.Each(func(c Column[R]) string { return c.Name })
	t.insert = "INSERT INTO " + name + " (" + t.list + ") VALUES "
	return t
}

// Each joins what write returns for each column, with commas.
func (t *Table[R]) Each(write func(Column[R]) string) string {
	parts := make([]string, len(t.columns))
	for i, c := range t.columns {
		parts[i] = write(c)
	}
	return strings.Join(parts, ", ")
}

// Name is its name in the database.
func (t *Table[R]) Name() string { return t.name }

// Columns lists the columns.
func (t *Table[R]) Columns() string { return t.list }

// Of lists the columns, qualified by a table alias.
func (t *Table[R]) Of(row string) string {
	return t.Each(func(c Column[R]) string { return row + "." + c.Name })
}

// OfAny is [Table.Of] for the right side of a left join, which may be NULLs: they become empty
// texts, or false. Pointers and ids scan NULL.
func (t *Table[R]) OfAny(row string) string {
	return t.Each(func(c Column[R]) string { return c.OrEmpty(row + "." + c.Name) })
}

// OrEmpty replaces NULL by an empty text, or by false, in an expression of a column that holds these.
func (c *Column[R]) OrEmpty(expression string) string {
	switch c.Field(new(R)).(type) {
	case *string:
		return "coalesce(" + expression + ", '') AS " + c.Name
	case *bool:
		return "coalesce(" + expression + ", false) AS " + c.Name
	}
	return expression
}

// Pointers returns pointers to the fields of a row, in the order of the columns, to scan and to store.
func (t *Table[R]) Pointers(row *R) []any {
	pointers := make([]any, len(t.columns))
	for i, c := range t.columns {
		pointers[i] = c.Field(row)
	}
	return pointers
}

// Select returns the rows of a statement that selects the columns in their order. It scans by
// position, which is faster than sqlx's lookup of each column by name.
func (t *Table[R]) Select(ctx context.Context, q sqlx.QueryerContext, statement string, args ...any) (found []R, err error) {
	var row R
	pointers := t.Pointers(&row)
	err = EachRow(ctx, q, func(rows *sqlx.Rows) (enough bool, err error) {
		row = *new(R) // scanning NULL leaves an id as it is
		if err := rows.Scan(pointers...); err != nil {
			return false, err
		}
		found = append(found, row)
		return false, nil
	}, statement, args...)
	return found, err
}

// First returns the first row of a statement as [Table.Select] does, or nil if there is none.
func (t *Table[R]) First(ctx context.Context, q sqlx.QueryerContext, statement string, args ...any) (*R, error) {
	found, err := t.Select(ctx, q, statement, args...)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return &found[0], nil
}

// EachRow calls fn with each row of a statement, until fn has enough.
func EachRow(ctx context.Context, q sqlx.QueryerContext, fn func(*sqlx.Rows) (enough bool, err error), statement string, args ...any) error {
	rows, err := q.QueryxContext(ctx, statement, args...) //nolint:sqlclosecheck // it is closed below
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // it is read as far as needed, or there is another error
	for rows.Next() {
		if enough, err := fn(rows); enough || err != nil {
			return err
		}
	}
	return rows.Err()
}

// Insert writes an INSERT of rows, with question marks as parameters, and its arguments.
func (t *Table[R]) Insert(rows ...*R) (statement string, args []any) {
	args = make([]any, 0, len(rows)*len(t.columns))
	for _, row := range rows {
		args = append(args, t.Pointers(row)...)
	}
	return t.insert + db.RowsOf(len(rows), t.row), args
}

// OptionalJSON is stored as NULL if it is empty.
type OptionalJSON string

// Value implements [driver.Valuer].
func (j OptionalJSON) Value() (driver.Value, error) {
	if j == "" {
		return nil, nil //nolint:nilnil // NULL
	}
	return string(j), nil
}

// Scan implements sql.Scanner.
func (j *OptionalJSON) Scan(value any) error {
	switch value := value.(type) {
	case nil:
		*j = ""
	case string:
		*j = OptionalJSON(value)
	case []byte:
		*j = OptionalJSON(value)
	default:
		return fmt.Errorf("%T is no text", value)
	}
	return nil
}

// OptionalTime is a field that is stored as microseconds since 1970 in UTC, or as NULL if it is nil.
type OptionalTime struct{ Field **time.Time }

// Value implements [driver.Valuer].
func (t OptionalTime) Value() (driver.Value, error) {
	if *t.Field == nil {
		return nil, nil //nolint:nilnil // NULL
	}
	return (*t.Field).UnixMicro(), nil
}

// Scan implements sql.Scanner.
func (t OptionalTime) Scan(value any) error {
	switch value := value.(type) {
	case nil:
		*t.Field = nil
	case int64:
		*t.Field = new(time.UnixMicro(value).UTC())
	default:
		return fmt.Errorf("%T is no time", value)
	}
	return nil
}
