package apitest_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// TestErasuresAtOnce concurrently erases two users who share tombstones, read markers and
// messages, on two replicas, while sends between them reuse the keys of those tombstones and the
// messages are deleted again. There must be no deadlock and no error.
func TestErasuresAtOnce(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		replicas := startReplicas(t, engine, 0, 0)
		users := []string{"alice", "bob"}
		send := func(s *apitest.Server, n int) *client.Message { // nil while one of the two is being erased
			request := client.SendMessageRequest{Sender: users[n%2], Recipient: users[1-n%2], Text: "x"}
			params := &client.SendMessageParams{IdempotencyKey: new(fmt.Sprint("key-", n%100))}
			return apitest.Call(s.SendMessageWithResponse(t.Context(), params, request)).Must(t, http.StatusCreated, http.StatusConflict).JSON201
		}
		for n := range 100 {
			m := send(replicas[0], n)
			replicas[0].Read(t, m.Recipient, m.Sender, m.ID)
			if n < 90 {
				replicas[0].Delete(t, m.ID)
			}
		}
		erased := make(chan struct{})
		var sending, erasing sync.WaitGroup
		for i := range 4 {
			sending.Go(func() {
				for n := i; ; n += 3 {
					select {
					case <-erased:
						return
					default:
					}
					if m := send(replicas[i%2], n); m != nil && n%5 != 0 {
						replicas[i%2].Delete(t, m.ID)
					}
				}
			})
		}
		for i, user := range users {
			erasing.Go(func() {
				for range 100 {
					replicas[i].Erase(t, user)
				}
			})
		}
		erasing.Wait()
		close(erased)
		sending.Wait()
		for i, user := range users {
			replicas[i].Erase(t, user)
			if records := replicas[1-i].Export(t, user); len(records) != 0 {
				t.Errorf("%s has %d records left", user, len(records))
			}
		}
	})
}
