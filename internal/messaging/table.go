package messaging

import (
	"context"
	"database/sql/driver"
	"fmt"
	"reflect"
	"strings"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
)

// column is a column of a table whose rows are values of type R.
type column[R any] struct {
	name   string
	kind   string       // the type in Postgres
	field  func(*R) any // returns a pointer to the value in a row
	erased string       // the SQL of what a deletion replaces the value by; empty to keep it
	member string       // its name in the JSON of the API; empty if it is not there
}

// within makes columns of a part of a row into columns of the row.
func within[R, P any](part func(*R) *P, columns []column[P]) []column[R] {
	whole := make([]column[R], len(columns))
	for i, c := range columns {
		whole[i] = column[R]{c.name, c.kind, func(row *R) any { return c.field(part(row)) }, c.erased, c.member}
	}
	return whole
}

// Table is a table whose rows are values of type R. It writes its statements from a list of columns.
type Table[R any] struct {
	name    string
	columns []column[R]
	list    string // the names of the columns
	insert  string // the INSERT up to VALUES
	row     string // the parameters of one row
}

func newTable[R any](name string, columns []column[R]) *Table[R] {
	t := &Table[R]{name: name, columns: columns, row: "(?" + strings.Repeat(",?", len(columns)-1) + ")"}
	t.list = t.each(func(c column[R]) string { return c.name })
	t.insert = "INSERT INTO " + name + " (" + t.list + ") VALUES "
	return t
}

// each joins what write returns for each column, with commas.
func (t *Table[R]) each(write func(column[R]) string) string {
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

// of lists the columns, qualified by a table alias.
func (t *Table[R]) of(row string) string {
	return t.each(func(c column[R]) string { return row + "." + c.name })
}

// ofAny is [Table.of] for the right side of a left join, which may be NULLs: they become empty
// texts. Pointers and ids scan NULL.
func (t *Table[R]) ofAny(row string) string {
	return t.each(func(c column[R]) string { return c.orEmpty(row + "." + c.name) })
}

// orEmpty replaces NULL by an empty text in an expression of a text column.
func (c *column[R]) orEmpty(expression string) string {
	if _, isText := c.field(new(R)).(*string); isText {
		return "coalesce(" + expression + ", '') AS " + c.name
	}
	return expression
}

// pointers returns pointers to the fields of a row, in the order of the columns, to scan and to store.
func (t *Table[R]) pointers(row *R) []any {
	pointers := make([]any, len(t.columns))
	for i, c := range t.columns {
		pointers[i] = c.field(row)
	}
	return pointers
}

// Select returns the rows of a statement that selects the columns in their order. It scans by
// position, which is faster than sqlx's lookup of each column by name.
func (t *Table[R]) Select(ctx context.Context, q sqlx.QueryerContext, statement string, args ...any) (found []R, err error) {
	var row R
	pointers := t.pointers(&row)
	err = eachRow(ctx, q, func(rows *sqlx.Rows) (enough bool, err error) {
		row = *new(R) // scanning NULL leaves an id as it is
		if err := rows.Scan(pointers...); err != nil {
			return false, err
		}
		found = append(found, row)
		return false, nil
	}, statement, args...)
	return found, err
}

// eachRow calls fn with each row of a statement, until fn has enough.
func eachRow(ctx context.Context, q sqlx.QueryerContext, fn func(*sqlx.Rows) (enough bool, err error), statement string, args ...any) error {
	rows, err := q.QueryxContext(ctx, statement, args...)
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
		args = append(args, t.pointers(row)...)
	}
	return t.insert + db.RowsOf(len(rows), t.row), args
}

// value converts a field to what the driver takes.
func value(field any) driver.Value {
	switch field := field.(type) { // most columns need no reflection
	case *string:
		return *field
	case *ID:
		return field[:]
	}
	v, err := driver.DefaultParameterConverter.ConvertValue(field)
	if err != nil {
		panic(err) // the field of a column is of a type that can be stored
	}
	return v
}

func isEmpty(field any) bool { return reflect.ValueOf(field).Elem().IsZero() }

// optionalJSON is stored as NULL if it is empty.
type optionalJSON string

// Value implements [driver.Valuer].
func (j optionalJSON) Value() (driver.Value, error) {
	if j == "" {
		return nil, nil //nolint:nilnil // NULL
	}
	return string(j), nil
}

// Scan implements sql.Scanner.
func (j *optionalJSON) Scan(value any) error {
	switch value := value.(type) {
	case nil:
		*j = ""
	case string:
		*j = optionalJSON(value)
	case []byte:
		*j = optionalJSON(value)
	default:
		return fmt.Errorf("%T is no text", value)
	}
	return nil
}
