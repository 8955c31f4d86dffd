package recent_test

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/message-service/message-service/internal/recent"
)

// TestMap compares a map with a simple model. It may forget, but never a key that was among the last size/2 used
// ones, and it never holds more than size values, nor an old value.
func TestMap(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(2, 7).Draw(t, "size")
		heaviest := rapid.IntRange(1, 4).Draw(t, "weight of the heaviest")
		weigh := func(value int) int { return 1 + value%heaviest }
		m := recent.NewWeighed[int](size, weigh)
		if heaviest == 1 {
			m = recent.New[int, int](size)
		}
		last := map[int]int{} // what was put
		var used []int        // keys, the latest last
		use := func(key int) {
			used = append(slices.DeleteFunc(used, func(k int) bool { return k == key }), key)
		}
		isRecent := func(key int) bool {
			return slices.Contains(used[max(0, len(used)-max(1, size/2/heaviest)):], key)
		}
		next := 0
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				key := rapid.IntRange(0, 7).Draw(t, "key")
				next++
				m.Put(key, next)
				last[key] = next
				use(key)
			},
			"get": func(t *rapid.T) {
				key := rapid.IntRange(0, 7).Draw(t, "key")
				value, ok := m.Get(key)
				if isRecent(key) && !ok {
					t.Fatalf("%d is forgotten", key)
				}
				if ok && value != last[key] {
					t.Fatalf("%d is %d, want %d", key, value, last[key])
				}
				if ok {
					use(key)
				}
			},
			"get or put": func(t *rapid.T) {
				key := rapid.IntRange(0, 7).Draw(t, "key")
				next++
				value := m.GetOrPut(key, func() int { return next })
				if value != next && value != last[key] || value == next && isRecent(key) {
					t.Fatalf("%d is %d, want %d or %d", key, value, last[key], next)
				}
				last[key] = value
				use(key)
			},
			"": func(t *rapid.T) {
				if n, most := m.Len(), max(2, size); n > most {
					t.Fatalf("it holds %d values, at most %d", n, most)
				}
			},
		})
	})
}
