package db

import (
	"context"
	"fmt"
	"iter"
	"math/bits"
	"slices"
	"strings"
)

// RowsOf repeats a row of a VALUES list n times. Its parameters are question marks, which need
// sqlx's Rebind: SQLite treats $1 as a name, and searches all names for each.
func RowsOf(n int, row string) string { return row + strings.Repeat(","+row, n-1) }

// UnionAll writes the union of selects, each of which may have an order and a limit of its own: engines take these
// only in a subquery, and sort no more than its rows.
func UnionAll(selects ...string) string {
	arms := make([]string, len(selects))
	for i, text := range selects {
		arms[i] = fmt.Sprintf("SELECT * FROM (%s) AS arm%d", text, i)
	}
	return strings.Join(arms, " UNION ALL ")
}

// Args makes arguments of a statement from texts.
func Args(texts []string) []any {
	args := make([]any, len(texts))
	for i, text := range texts {
		args[i] = text
	}
	return args
}

// keptRows is the most rows of a statement that SQLite keeps prepared for batches.
const keptRows = 64

type keptKey struct{}

// Batches divides rows into parts of at most a given size, one for each statement, and returns the context to run these with. SQLite takes
// half as long to prepare a statement of many rows as to insert them. There the numbers of rows are powers of two, so that there are
// few different statements, and the context has the connection keep them prepared.
func Batches[T any](ctx context.Context, driver string, rows []T, most int) (context.Context, iter.Seq[[]T]) {
	if driver != string(SQLite) {
		return ctx, slices.Chunk(rows, most)
	}
	return context.WithValue(ctx, keptKey{}, true), func(yield func([]T) bool) {
		for rest := rows; len(rest) > 0; {
			n := min(keptRows, 1<<(bits.Len(uint(len(rest)))-1))
			if !yield(rest[:n:n]) {
				return
			}
			rest = rest[n:]
		}
	}
}
