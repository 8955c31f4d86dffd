package messaging

import (
	"context"
	"database/sql/driver"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/table"
)

// postgresDialect is that of Postgres.
type postgresDialect struct{}

func (postgresDialect) rebind(statement string) string { return sqlx.Rebind(sqlx.DOLLAR, statement) }

func (postgresDialect) server() string { return db.Postgres.Server() }

// between names the collation of messages_between, in which no other index is. Otherwise a prepared statement might walk
// over all that the recipient was sent, if the planner takes that for little.
func (postgresDialect) between(recipient, sender string) string {
	return fmt.Sprintf(`recipient = %s COLLATE "POSIX" AND sender = %s COLLATE "POSIX"`, recipient, sender)
}

// merged applies the order and the limit to each select, too, so that Postgres sorts two pages,
// and not all rows of both.
func (postgresDialect) merged(a, b, order string) string {
	return db.UnionAll(a+" "+order, b+" "+order) + " " + order
}

// lookup keeps the planner from reading the whole table instead, as it does if it cannot tell how many
// different rows are asked for.
func (postgresDialect) lookup(table, alias, condition string) string {
	return fmt.Sprintf("LEFT JOIN LATERAL (SELECT * FROM %s AS %s WHERE %s LIMIT 1) AS %[2]s ON true", table, alias, condition)
}

// withIDs looks up each id. A store that is new or was restored has no statistics of [EveryID], and without them the planner
// takes a list of ids for a large part of all messages, and reads them all.
func (postgresDialect) withIDs(deleted string, ids []ID) (from string, args []any) {
	return "FROM unnest($1::uuid[]) AS asked (key) JOIN LATERAL (SELECT * FROM messages WHERE " +
		deleted + " AND " + EveryID + " = key LIMIT 1) AS messages ON true", []any{arrayOf(ids, "uuid", func(id ID) driver.Value { return id[:] })}
}

func (postgresDialect) keysOf(list []*StoredMessage) (rows string, args []any) {
	return "SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[])", []any{
		arrayOf(list, "text", func(m *StoredMessage) driver.Value { return m.Recipient }),
		arrayOf(list, "text", func(m *StoredMessage) driver.Value { return m.Sender }),
		arrayOf(list, "bytea", func(m *StoredMessage) driver.Value { return m.Hash }),
	}
}

// insertByArrays is the INSERT of any number of messages, so that Postgres need not parse and plan one each time.
var insertByArrays = `INSERT INTO messages (` + Messages.Columns() + `) SELECT * FROM unnest(` + arrayParameters(1) + `)`

// insertMessages passes the messages as arrays.
func (postgresDialect) insertMessages(ctx context.Context, tx *sqlx.Tx, list []*StoredMessage) (stored []ID, err error) {
	err = tx.SelectContext(ctx, &stored, insertByArrays+unlessTaken+" RETURNING id", arraysOf(list)...)
	if err != nil {
		return nil, fmt.Errorf("insert messages: %w", err)
	}
	return stored, nil
}

// arrayParameters are parameters from the nth on: an array of the messages' values for each column.
func arrayParameters(n int) string {
	n--
	return Messages.Each(func(c table.Column[StoredMessage]) string {
		n++
		return fmt.Sprintf("$%d::%s[]", n, c.Kind)
	})
}

// arraysOf writes the arrays as Postgres array literals.
func arraysOf(list []*StoredMessage) []any {
	arrays := make([]any, len(storedColumns))
	for i, c := range storedColumns {
		arrays[i] = arrayOf(list, c.Kind, func(m *StoredMessage) driver.Value { return value(c.Field(m)) })
	}
	return arrays
}

// arrayOf writes an array of a value of each element of a list, which is not empty.
func arrayOf[E any](list []E, kind string, value func(E) driver.Value) string {
	array := []byte{'{'}
	for _, element := range list {
		array = append(appendElement(array, kind, value(element)), ',')
	}
	array[len(array)-1] = '}'
	return string(array)
}

// appendElement appends an element of an array.
func appendElement(b []byte, kind string, v driver.Value) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "NULL"...)
	case []byte:
		if v == nil {
			return append(b, "NULL"...)
		}
		if kind == "bytea" {
			b = append(b, `"\\x`...)
			return append(hex.AppendEncode(b, v), '"')
		}
		return hex.AppendEncode(b, v) // of a uuid
	case string:
		return append(append(append(b, '"'), arrayQuotes.Replace(v)...), '"')
	default:
		return fmt.Append(b, v)
	}
}

var arrayQuotes = strings.NewReplacer(`\`, `\\`, `"`, `\"`)
