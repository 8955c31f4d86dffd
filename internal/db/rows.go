package db

import "strings"

// RowsOf repeats a row of a VALUES list. Its parameters are question marks, which need
// sqlx's Rebind: SQLite takes $1 for a name, and looks through all names for each.
func RowsOf(n int, row string) string { return row + strings.Repeat(","+row, n-1) }
