package db

import (
	"database/sql/driver"

	"github.com/lib/pq"
)

// Array makes an array of Postgres of a list.
func Array[T string | int64](list []T) driver.Valuer {
	switch list := any(list).(type) {
	case []string:
		return pq.StringArray(list)
	case []int64:
		return pq.Int64Array(list)
	}
	panic("unreachable")
}
