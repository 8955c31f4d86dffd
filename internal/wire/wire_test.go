package wire

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestTimestamp compares what timestamp writes with what package time makes of the layout.
func TestTimestamp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		at := time.UnixMilli(rapid.Int64Range(0, 1<<48-1).Draw(t, "ms"))
		if got, want := timestamp(at), at.UTC().Format("2006-01-02T15:04:05.000Z"); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	})
}
