package apitest_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// TestOrder has several replicas, one with a fast clock and one with a slow one, write
// concurrently to a few mailboxes, while readers on any replica follow the messages
// received and sent by each user. A reader must never find a message at or below one
// it has seen, and in the end must have seen every acknowledged message. It logs the seed.
func TestOrder(t *testing.T) {
	const (
		users    = 4
		writers  = 12
		messages = 60 // of each writer
	)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		replicas := startReplicas(t, engine, 0, 3*time.Second, -3*time.Second)
		user := func(i int) string { return fmt.Sprint("user-", i) }

		// What was acknowledged, by recipient and then by sender.
		acknowledged := make([]map[uuid.UUID]bool, 2*users)
		for i := range acknowledged {
			acknowledged[i] = map[uuid.UUID]bool{}
		}
		var mu sync.Mutex
		var writing sync.WaitGroup
		for w := range writers {
			random := rand.New(rand.NewPCG(seed, uint64(w)))
			writing.Go(func() {
				for range messages {
					from, to, replica := random.IntN(users), random.IntN(users), replicas[random.IntN(len(replicas))]
					m := replica.Send(t, user(from), user(to), "x")
					mu.Lock()
					acknowledged[to][m.ID] = true
					acknowledged[users+from][m.ID] = true
					mu.Unlock()
				}
			})
		}

		written := make(chan struct{})
		var reading sync.WaitGroup
		for i := range acknowledged {
			list, name := client.ListMessagesParams{Recipient: new(user(i % users))}, "what is sent to "+user(i%users)
			if i >= users {
				list, name = client.ListMessagesParams{Sender: new(user(i % users))}, "what is sent by "+user(i%users)
			}
			random := rand.New(rand.NewPCG(seed, uint64(writers+i)))
			reading.Go(func() {
				seen, cursor := follow(t, replicas, random, list, name, written)
				for id := range acknowledged[i] {
					if !seen[id] {
						t.Errorf("%s: never saw %s, below the cursor %s", name, id, cursor)
					}
				}
				if len(seen) != len(acknowledged[i]) {
					t.Errorf("%s: saw %d messages, %d were acknowledged", name, len(seen), len(acknowledged[i]))
				}
			})
		}
		writing.Wait()
		close(written)
		reading.Wait()
	})
}

// follow reads new messages of a list until all have been written and read.
func follow(
	t *testing.T, replicas []*apitest.Server, random *rand.Rand, list client.ListMessagesParams, name string, written <-chan struct{},
) (seen map[uuid.UUID]bool, cursor uuid.UUID) {
	seen = map[uuid.UUID]bool{}
	for last := false; ; {
		select {
		case <-written:
			last = true
		default:
		}
		limit := 1 + random.Int32N(100)
		list.After, list.Limit = &cursor, &limit
		page := replicas[random.IntN(len(replicas))].List(t, list)
		for _, m := range slices.Backward(page.Messages) {
			id := m.ID
			if bytes.Compare(id[:], cursor[:]) <= 0 {
				t.Errorf("%s: found %s after having seen %s", name, id, cursor)
			}
			seen[id], cursor = true, id
		}
		if last && len(page.Messages) == 0 {
			return seen, cursor
		}
	}
}
