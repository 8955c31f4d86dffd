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
	field  func(*R) any // points to the value: a row is scanned into it, and stored from it
	erased string       // of what a user wrote: what a deletion puts in its place
	member string       // of the JSON of the API, if it is one
}

// within are the columns of a part of a row.
func within[R, P any](part func(*R) *P, columns []column[P]) []column[R] {
	whole := make([]column[R], len(columns))
	for i, c := range columns {
		whole[i] = column[R]{c.name, c.kind, func(row *R) any { return c.field(part(row)) }, c.erased, c.member}
	}
	return whole
}

// Table is a table whose rows are values of type R, by its list of columns.
type Table[R any] struct {
	name    string
	columns []column[R]
	list    string // the names of the columns
	insert  string // what a statement that inserts rows begins with
	row     string // the parameters of one
}

func newTable[R any](name string, columns []column[R]) *Table[R] {
	t := &Table[R]{name: name, columns: columns, row: "(?" + strings.Repeat(",?", len(columns)-1) + ")"}
	t.list = t.each(func(c column[R]) string { return c.name })
	t.insert = "INSERT INTO " + name + " (" + t.list + ") VALUES "
	return t
}

// each joins what is written for each column.
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

// of lists the columns of a row that a statement calls by a name.
func (t *Table[R]) of(row string) string {
	return t.each(func(c column[R]) string { return row + "." + c.name })
}

// ofAny is [Table.of] for a row that there may not be, as after a left join. Pointers and ids
// take the NULLs that it consists of then.
func (t *Table[R]) ofAny(row string) string {
	return t.each(func(c column[R]) string { return c.orEmpty(row + "." + c.name) })
}

// orEmpty writes an expression that is not NULL where the column cannot be NULL.
func (c *column[R]) orEmpty(expression string) string {
	if _, isText := c.field(new(R)).(*string); isText {
		return "coalesce(" + expression + ", '') AS " + c.name
	}
	return expression
}

// pointers point to the fields of a row, in the order of the columns: to scan, and to store.
func (t *Table[R]) pointers(row *R) []any {
	pointers := make([]any, len(t.columns))
	for i, c := range t.columns {
		pointers[i] = c.field(row)
	}
	return pointers
}

// Select returns the rows that a statement selects, which has the columns in their order. It
// scans by position: sqlx would look up the place of each value by its name.
func (t *Table[R]) Select(ctx context.Context, q sqlx.QueryerContext, statement string, args ...any) (found []R, err error) {
	var row R
	pointers := t.pointers(&row)
	err = eachRow(ctx, q, func(rows *sqlx.Rows) (enough bool, err error) {
		row = *new(R) // an id leaves what is there where it is NULL
		if err := rows.Scan(pointers...); err != nil {
			return false, err
		}
		found = append(found, row)
		return false, nil
	}, statement, args...)
	return found, err
}

// eachRow calls fn with each row that a statement selects, until it has enough.
func eachRow(ctx context.Context, q sqlx.QueryerContext, fn func(*sqlx.Rows) (enough bool, err error), statement string, args ...any) error {
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

// Insert writes the statement that inserts rows, and its arguments. Its parameters are
// question marks.
func (t *Table[R]) Insert(rows ...*R) (statement string, args []any) {
	args = make([]any, 0, len(rows)*len(t.columns))
	for _, row := range rows {
		args = append(args, t.pointers(row)...)
	}
	return t.insert + db.RowsOf(len(rows), t.row), args
}

// value is what the driver is given for a field.
func value(field any) driver.Value {
	switch field := field.(type) { // those of most columns take no reflection
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

// optionalJSON is NULL in the database where it is empty.
type optionalJSON string

// Value is what is stored.
func (j optionalJSON) Value() (driver.Value, error) {
	if j == "" {
		return nil, nil //nolint:nilnil // NULL
	}
	return string(j), nil
}

// Scan takes what was stored.
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
