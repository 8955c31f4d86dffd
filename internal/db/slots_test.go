package db

import "testing"

// TestSlots checks how connections are divided among the kinds of operations.
func TestSlots(t *testing.T) {
	t.Parallel()
	for connections, want := range map[int]Slots{
		2: {1, 1, 1}, 3: {1, 1, 1}, 4: {1, 2, 1}, 5: {1, 2, 1}, 6: {1, 2, 1}, 7: {1, 2, 1}, 8: {1, 2, 2}, 16: {7, 2, 4}, 1000: {991, 2, 4},
	} {
		if got := slotsOf(connections); got != want {
			t.Errorf("%d connections: %+v, want %+v", connections, got, want)
		}
	}
}
