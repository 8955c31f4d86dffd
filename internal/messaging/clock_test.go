package messaging_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"context"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/messaging"
)

// TestMailboxClock has replicas with wrong clocks send and delete in a few
// mailboxes at once. Each message must be above every message that was acknowledged
// in either mailbox before it was sent, and in the end each clock must be at or above
// the newest change of its mailbox. The seed is in the log.
func TestMailboxClock(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		url := dbtest.NewURL(t, engine)
		const users, workers, changes = 3, 8, 40
		var mu sync.Mutex
		newest := make([]messaging.ID, users) // the newest acknowledged change of each mailbox
		var wg sync.WaitGroup
		database := dbtest.Open(t, url)
		for w := range workers {
			random := rand.New(rand.NewPCG(seed, uint64(w)))
			skew := time.Duration(random.Int64N(int64(2 * time.Hour)))
			service := messaging.New(database, messaging.Options{Now: func() time.Time { return time.Now().Add(skew - time.Hour) }})
			t.Cleanup(func() {
				if err := service.Close(context.WithoutCancel(t.Context())); err != nil {
					t.Error(err)
				}
			})
			wg.Go(func() {
				for range changes {
					a, b := random.IntN(users), random.IntN(users)
					mu.Lock()
					before := newest[a]
					if newest[b].Compare(before) > 0 {
						before = newest[b]
					}
					mu.Unlock()
					draft := messaging.Draft{Sender: fmt.Sprint(a), Recipient: fmt.Sprint(b), Text: "x"}
					if random.IntN(2) == 0 {
						draft.IdempotencyKey = fmt.Sprint(random.Uint64())
					}
					m, _, err := service.Send(t.Context(), messaging.AsService, draft)
					if err != nil {
						t.Error(err)
						return
					}
					if m.ID.Compare(before) <= 0 {
						t.Errorf("%s was stored after %s was acknowledged", m.ID, before)
					}
					if random.IntN(4) == 0 {
						if err := service.Delete(t.Context(), messaging.AsService, m.ID); err != nil {
							t.Error(err)
						}
					}
					mu.Lock()
					for _, u := range []int{a, b} {
						if m.ID.Compare(newest[u]) > 0 {
							newest[u] = m.ID
						}
					}
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		var behind int
		err := database.Read(t.Context(), func(ctx context.Context, q sqlx.QueryerContext) error {
			return sqlx.GetContext(ctx, q, &behind, `
				SELECT count(*) FROM mailboxes JOIN messages ON user_id IN (recipient, sender)
				WHERE clock < coalesce(changed, id) OR changed <= id`)
		})
		if err != nil || behind != 0 {
			t.Errorf("%d changes are above their mailbox clocks, or edits below their messages (%v)", behind, err)
		}
	})
}
