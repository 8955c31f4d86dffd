package groupcommit

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestQueue takes and releases batches while items come. No two batches that are out may share a
// key, and the items of a key must be handed out in the order they came, all of them.
func TestQueue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const size = 20
		q := newQueue[*item](size, false)
		last := map[string]int{} // of the items of each key that were handed out
		var waiting []int
		var batches [][]entry[*item]
		n := 0

		take := func(t *rapid.T) {
			q.mu.Lock()
			batch := q.next()
			q.mu.Unlock()
			if len(batch) == 0 {
				if len(waiting) > 0 && len(batches) == 0 {
					t.Fatalf("%d items wait while no batch is out", len(waiting))
				}
				t.Skip("every item has to wait") // rapid draws another action
			}
			for _, e := range batch {
				waiting = without(t, waiting, e.item.number)
				for _, key := range e.item.keys {
					if e.item.number < last[key] {
						t.Fatalf("item %d of %s came after %d", e.item.number, key, last[key])
					}
					last[key] = e.item.number
					for _, other := range batches {
						if touches(other, key) {
							t.Fatalf("%s is in two batches at once", key)
						}
					}
				}
			}
			batches = append(batches, batch)
		}
		release := func(t *rapid.T) {
			if len(batches) == 0 {
				t.Skip("nothing is being written") // likewise
			}
			i := rapid.IntRange(0, len(batches)-1).Draw(t, "batch")
			q.release(batches[i])
			batches = append(batches[:i:i], batches[i+1:]...)
		}
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				n++
				keys := rapid.SliceOfN(rapid.StringMatching(`[a-f]`), 0, 4).Draw(t, "keys")
				err := q.put(entry[*item]{item: &item{keys: keys, number: n}})
				if refused := err != nil; refused != (len(waiting) == size) {
					t.Fatalf("with %d waiting: %v", len(waiting), err)
				}
				if err == nil {
					waiting = append(waiting, n)
				}
			},
			"take":    take,
			"release": release,
			"": func(t *rapid.T) { // after each of them
				q.mu.Lock() // the length is told nevertheless
				defer q.mu.Unlock()
				if n := q.length(); n != len(waiting) {
					t.Fatalf("the length is %d while %d wait", n, len(waiting))
				}
			},
		})
		q.close()
		for len(waiting)+len(batches) > 0 {
			for len(batches) > 0 {
				q.release(batches[0])
				batches = batches[1:]
			}
			if len(waiting) > 0 {
				take(t)
			}
		}
		if batch := q.take(); batch != nil {
			t.Fatalf("took %d items from an empty queue", len(batch))
		}
	})
}

// item is an [Item] with its number and its outcome.
type item struct {
	keys   []string
	wait   time.Duration // before it comes
	number int
	faulty bool // it cannot be written
	err    error
}

func (i *item) Keys() []string { return i.keys }
func (i *item) Fail(err error) { i.err = err }

func touches(batch []entry[*item], key string) bool {
	return slices.ContainsFunc(batch, func(e entry[*item]) bool { return slices.Contains(e.item.keys, key) })
}

func without(t *rapid.T, numbers []int, n int) (rest []int) {
	for _, number := range numbers {
		if number != n {
			rest = append(rest, number)
		}
	}
	if len(rest) == len(numbers) {
		t.Fatalf("item %d was handed out twice", n)
	}
	return rest
}

// TestQueueBounds fills a long queue: batches are bounded, and so is the look-ahead.
func TestQueueBounds(t *testing.T) {
	t.Parallel()
	q := newQueue[*item](4*lookAhead, false)
	put := func(key string, n int) {
		for i := range n {
			if err := q.put(entry[*item]{item: &item{keys: []string{key, fmt.Sprint(key, i)}}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	expect := func(want int) (batch []entry[*item]) {
		t.Helper()
		if batch = q.next(); len(batch) != want {
			t.Fatalf("a batch of %d, want %d", len(batch), want)
		}
		return batch
	}
	put("a", 100)
	first := expect(shortBatch)
	put("b", 2*MaxBatch)
	put("a", lookAhead)
	put("c", 1)
	expect(MaxBatch) // of b, and those of a wait
	expect(0)        // c is too far behind
	q.release(first)
	expect(MaxBatch) // of a, and those of b wait
}

// TestLarge takes all that waits, where batches need not be short.
func TestLarge(t *testing.T) {
	t.Parallel()
	for large, want := range map[bool]int{false: shortBatch, true: 2 * shortBatch} {
		q := newQueue[*item](4*shortBatch, large)
		for range 2 * shortBatch {
			if err := q.put(entry[*item]{item: &item{}}); err != nil {
				t.Fatal(err)
			}
		}
		if batch := q.take(); len(batch) != want {
			t.Errorf("large %t: took %d items, want %d", large, len(batch), want)
		}
	}
}
