package messaging

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// TestQueue takes batches while sends come and others are being stored. No two batches
// share a user, a user's sends are handed out in the order they came, and all of them are.
func TestQueue(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const size = 20
		q := newQueue(size)
		last := map[string]int{} // of each user's sends that were handed out
		var waiting []int
		var batches [][]*send
		n := 0

		take := func(t *rapid.T) {
			q.mu.Lock()
			batch := q.next()
			q.mu.Unlock()
			if len(batch) == 0 {
				if len(waiting) > 0 && len(batches) == 0 {
					t.Fatalf("%d sends wait for nothing", len(waiting))
				}
				t.Skip("all that waits has to") // rapid draws another action
			}
			for _, s := range batch {
				number := s.draft.number(t)
				waiting = without(t, waiting, number)
				for _, user := range []string{s.draft.Sender, s.draft.Recipient} {
					if number < last[user] {
						t.Fatalf("send %d of %s came after %d", number, user, last[user])
					}
					last[user] = number
					for _, other := range batches {
						if touches(other, user) {
							t.Fatalf("%s is in two batches at once", user)
						}
					}
				}
			}
			batches = append(batches, batch)
		}
		release := func(t *rapid.T) {
			if len(batches) == 0 {
				t.Skip("nothing is being stored") // likewise
			}
			i := rapid.IntRange(0, len(batches)-1).Draw(t, "batch")
			q.release(batches[i])
			batches = append(batches[:i:i], batches[i+1:]...)
		}
		t.Repeat(map[string]func(*rapid.T){
			"put": func(t *rapid.T) {
				user := rapid.StringMatching(`[a-f]`)
				n++
				err := q.put(&send{draft: Draft{Sender: user.Draw(t, "sender"), Recipient: user.Draw(t, "recipient"), Text: fmt.Sprint(n)}})
				if refused := err != nil; refused != (len(waiting) == size) {
					t.Fatalf("with %d waiting: %v", len(waiting), err)
				}
				if err == nil {
					waiting = append(waiting, n)
				}
			},
			"take":    take,
			"release": release,
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
			t.Fatalf("took %d sends from an empty queue", len(batch))
		}
	})
}

func (d Draft) number(t *rapid.T) (n int) {
	if _, err := fmt.Sscan(d.Text, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

func touches(batch []*send, user string) bool {
	for _, s := range batch {
		if s.draft.Sender == user || s.draft.Recipient == user {
			return true
		}
	}
	return false
}

func without(t *rapid.T, numbers []int, n int) (rest []int) {
	for _, number := range numbers {
		if number != n {
			rest = append(rest, number)
		}
	}
	if len(rest) == len(numbers) {
		t.Fatalf("send %d was handed out twice", n)
	}
	return rest
}

// TestQueueBounds fills a long queue: batches have bounds, and who needs not wait is looked
// for in a part of it only.
func TestQueueBounds(t *testing.T) {
	t.Parallel()
	q := newQueue(4 * lookAhead)
	put := func(sender string, n int) {
		for i := range n {
			if err := q.put(&send{draft: Draft{Sender: sender, Recipient: fmt.Sprint(sender, i)}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	expect := func(want int) (batch []*send) {
		t.Helper()
		if batch = q.next(); len(batch) != want {
			t.Fatalf("a batch of %d, want %d", len(batch), want)
		}
		return batch
	}
	put("a", 100)
	first := expect(shortBatch)
	put("b", 2*longBatch)
	put("a", lookAhead)
	put("c", 1)
	expect(longBatch) // of b, and those of a wait
	expect(0)         // c is too far behind
	q.release(first)
	expect(longBatch) // of a, and those of b wait
}
