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
	"github.com/oapi-codegen/nullable"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// TestTwoUsersAtOnce has two users, with their tokens, concurrently send to each other, mark as read, edit
// and delete on three replicas: all requests must succeed, no update may be lost, and
// both users must see the same order. It logs the seed.
func TestTwoUsersAtOnce(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		replicas := startReplicas(t, engine, 0, time.Second, -time.Second)
		users := []string{"alice", "bob"}
		// Two messages that are edited concurrently: each goroutine edits its half of both.
		var drafts [2]client.Message
		for i := range drafts {
			drafts[i] = replicas[0].Send(t, users[i], users[1-i], "to be edited")
		}

		const rounds = 25
		var mu sync.Mutex
		var sent []uuid.UUID
		deleted := map[uuid.UUID]bool{}
		var farthest [2]uuid.UUID // each user's farthest read marker
		var wg sync.WaitGroup
		for worker := range 16 {
			random := rand.New(rand.NewPCG(seed, uint64(worker)))
			me := worker % 2
			replica := func() *apitest.Client { return replicas[random.IntN(len(replicas))].As(t, users[me]) }
			wg.Go(func() {
				for round := range rounds {
					switch worker / 2 {
					case 0, 1:
						m := replica().Send(t, users[me], users[1-me], fmt.Sprint(round))
						mu.Lock()
						sent = append(sent, m.ID)
						mu.Unlock()
						if random.IntN(5) == 0 {
							replica().Delete(t, m.ID)
							mu.Lock()
							deleted[m.ID] = true
							mu.Unlock()
						}
					case 2:
						replica().Edit(t, drafts[me].ID, client.EditMessageRequest{Text: new(fmt.Sprint(round))})
					case 3:
						replica().Edit(t, drafts[me].ID, client.EditMessageRequest{
							Metadata: nullable.NewNullableWithValue(map[string]any{"round": round}),
						})
					default:
						page := replica().Thread(t, users[me], users[1-me], client.ListConversationMessagesParams{Limit: new(int32(5))})
						m := page.Messages[random.IntN(len(page.Messages))]
						mu.Lock()
						before := farthest[me]
						mu.Unlock()
						marker := replica().Read(t, users[me], users[1-me], m.ID)
						mu.Lock()
						if bytes.Compare(m.ID[:], farthest[me][:]) > 0 {
							farthest[me] = m.ID
						}
						mu.Unlock()
						if bytes.Compare(marker.MessageID[:], m.ID[:]) < 0 || bytes.Compare(marker.MessageID[:], before[:]) < 0 {
							t.Errorf("marked %s after %s, and the marker is at %s", m.ID, before, marker.MessageID)
						}
					}
				}
			})
		}
		wg.Wait()

		slices.SortFunc(sent, func(a, b uuid.UUID) int { return bytes.Compare(b[:], a[:]) })
		want := slices.DeleteFunc(sent, func(id uuid.UUID) bool { return deleted[id] })
		for me := range users {
			var got []uuid.UUID
			params := client.ListConversationMessagesParams{Limit: new(int32(30))}
			for page := replicas[me].Thread(t, users[me], users[1-me], params); ; page = replicas[me].Thread(t, users[me], users[1-me], params) {
				got = append(got, ids(page.Messages)...)
				if !page.HasMore {
					break
				}
				params.Before = &got[len(got)-1]
			}
			if got = got[:len(got)-len(drafts)]; !slices.Equal(got, want) {
				t.Errorf("%s sees %d messages, want %d in the same order", users[me], len(got), len(want))
			}
			c := replicas[2-me].Conversation(t, users[me], users[1-me])
			if c.ReadMarker.MessageID != farthest[me] || c.LastMessage.ID != want[0] {
				t.Errorf("%s: marker at %s, want %s; last message %s, want %s", users[me],
					c.ReadMarker.MessageID, farthest[me], c.LastMessage.ID, want[0])
			}
			m := replicas[me].Thread(t, users[me], users[1-me], client.ListConversationMessagesParams{
				After: new(uuid.UUID), Limit: new(int32(2)),
			}).Messages[1-me]
			if m.Text != fmt.Sprint(rounds-1) || m.Metadata["round"] != float64(rounds-1) {
				t.Errorf("an edit is lost: %+v", m)
			}
		}
	})
}
