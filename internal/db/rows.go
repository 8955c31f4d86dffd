package db

import "strings"

// RowsOf repeats a row of a VALUES list n times. Its parameters are question marks, which need
// sqlx's Rebind: SQLite treats $1 as a name, and searches all names for each.
func RowsOf(n int, row string) string { return row + strings.Repeat(","+row, n-1) }

// Args makes arguments of a statement from texts.
func Args(texts []string) []any {
	args := make([]any, len(texts))
	for i, text := range texts {
		args[i] = text
	}
	return args
}
