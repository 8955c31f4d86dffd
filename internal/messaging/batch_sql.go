package messaging

import (
	"context"
	"errors"

	"github.com/message-service/message-service/internal/db"
)

// writeAtOnce stores a batch by one statement, and returns the sends whose outcome it did
// not find out, for the usual way. The locks last as long as Postgres takes, and not while
// this process has other things to do. That is safe only where every send has an
// idempotency key: they may have been stored where the answer was lost.
func (w *writer) writeAtOnce(batch []*send) (rest []*send) {
	for _, s := range batch {
		if s.draft.IdempotencyKey == "" || s.draft.ReplyTo != nil {
			return batch
		}
	}
	ids := w.ids.next(len(batch))
	stored, done, err := w.engine.storeBatch(context.Background(), batch, ids)
	if errors.Is(err, db.ErrUnavailable) {
		for _, s := range batch {
			s.err = explain(err)
		}
		return nil
	}
	if !done {
		return batch
	}
	isStored := make(map[ID]bool, len(stored))
	for _, id := range stored {
		isStored[id] = true
	}
	for i, s := range batch {
		if s.stored = isStored[ids[i]]; s.stored {
			s.message = s.draft.message(ids[i])
		} else {
			rest = append(rest, s)
		}
	}
	return rest
}
