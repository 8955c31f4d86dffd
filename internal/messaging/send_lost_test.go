package messaging

import (
	"context"
	"database/sql/driver"
	"fmt"
	"slices"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// losing is an engine that loses the answer of each fast path: to a statement that has run, or to one that runs later.
type losing struct {
	engine

	runs  bool
	tried []*StoredMessage // copies of those that it was given
}

func (e *losing) storeBatch(ctx context.Context, list []*StoredMessage) (stored []ID, err error) {
	for _, m := range list {
		e.tried = append(e.tried, new(*m))
	}
	if e.runs {
		if stored, err = e.engine.storeBatch(ctx, list); err != nil || len(stored) != len(list) {
			return nil, fmt.Errorf("%d of %d were stored: %w", len(stored), len(list), err)
		}
	}
	return nil, fmt.Errorf("%w: %w", db.ErrUnavailable, driver.ErrBadConn)
}

// TestAnswerLost loses the answers to the statements of sends, with and without keys: each send succeeds, and
// is stored once, whether its statement had run or runs afterwards.
func TestAnswerLost(t *testing.T) {
	t.Parallel()
	for _, runs := range []bool{true, false} {
		t.Run(fmt.Sprintf("runs=%t", runs), func(t *testing.T) {
			t.Parallel()
			service := New(dbtest.Open(t, dbtest.NewURL(t, db.Postgres)), Options{})
			defer service.Close(t.Context()) //nolint:errcheck // nothing waits
			e := &losing{engine: service.engine, runs: runs}
			w := &sends{engine: e, mailboxes: service.mailboxes, stored: newMeter()}
			batch := []*send{
				newSend(Draft{Sender: "ann", Recipient: "bob", Text: "0"}),
				newSend(Draft{Sender: "ann", Recipient: "bob", Text: "1", IdempotencyKey: "key"}),
				newSend(Draft{Sender: "ann", Recipient: "ann", Text: "2"}),
			}
			failed, err := w.write(batch)
			if err != nil || len(failed) > 0 {
				t.Fatalf("%d failed: %v", len(failed), err)
			}
			if !runs { // they run now
				if stored, err := e.engine.storeBatch(t.Context(), e.tried); err != nil || len(stored) > 0 {
					t.Errorf("%d were stored afterwards: %v", len(stored), err)
				}
			}
			var ids []ID
			read(t, service, func(ctx context.Context, q sqlx.QueryerContext) error {
				return sqlx.SelectContext(ctx, q, &ids, "SELECT id FROM messages ORDER BY text")
			})
			for i, s := range batch {
				if s.err != nil || s.message == nil || s.replayed || len(ids) != len(batch) || s.message.ID != ids[i] {
					t.Errorf("send %d has the outcome %+v, and there are %v", i, s.outcome, ids)
				}
				if runs != slices.Contains(ids, e.tried[i].ID) {
					t.Errorf("send %d has the id that was tried: %t", i, !runs)
				}
			}
		})
	}
}
