package messaging

import (
	"database/sql/driver"
	"reflect"
	"testing"
	"time"

	"github.com/message-service/message-service/internal/table"
)

// TestSet sets fields of the types that columns may have to what drivers return, and others to nothing.
func TestSet(t *testing.T) {
	t.Parallel()
	id, at := ID{1}, time.UnixMicro(1).UTC()
	for name, c := range map[string]struct {
		field any
		value driver.Value
		want  any // nil if it does not fit
	}{
		"text":                  {new(""), "x", "x"},
		"an id":                 {new(ID), id[:], id},
		"an optional id":        {new(*ID), id.String(), &id},
		"no id":                 {new(&id), nil, (*ID)(nil)},
		"a boolean":             {new(false), true, true},
		"one of SQLite":         {new(false), int64(1), true},
		"an integer":            {new(int32), int64(3), int32(3)},
		"an optional integer":   {new(*int32), int64(3), new(int32(3))},
		"no integer":            {new(new(int32(3))), nil, (*int32)(nil)},
		"an integer too large":  {new(int32), int64(1 << 40), nil},
		"text for an integer":   {new(int32), "3", nil},
		"an integer for text":   {new(""), int64(3), nil},
		"a number, not integer": {new(1.5), int64(3), nil},
	} {
		err := set(c.field, c.value)
		if got := reflect.ValueOf(c.field).Elem().Interface(); (err == nil) != (c.want != nil) || err == nil && !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: set to %v, %v; want %v", name, got, err, c.want)
		}
	}
	var optional *time.Time
	if err := set(table.OptionalTime{Field: &optional}, int64(1)); err != nil || optional == nil || !optional.Equal(at) {
		t.Errorf("an optional time: %v, %v; want %v", optional, err, at)
	}
}
