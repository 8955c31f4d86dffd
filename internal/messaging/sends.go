package messaging

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/groupcommit"
	"github.com/message-service/message-service/internal/mailbox"
)

// sendTimeout bounds the wait for the outcome of a send.
const sendTimeout = 20 * time.Second

// sends stores drafts in batches. The rules are in send.go; this is the only file that knows of
// package groupcommit.
type sends struct {
	engine    engine
	mailboxes *mailbox.Mailboxes
	group     *groupcommit.Committer[*send]
	indexer   *indexer // nil without searches
	stored    *meter   // sends that were stored
}

func startSends(database *db.DB, e engine, mailboxes *mailbox.Mailboxes, index *indexer, queueSize int) *sends {
	w := &sends{engine: e, mailboxes: mailboxes, indexer: index, stored: newMeter()}
	w.group = groupcommit.Start(groupcommit.Options[*send]{
		Size: queueSize, Writers: database.Slots.Batches, Timeout: sendTimeout, Write: w.write,
		FailsAll: func(err error) bool { return errors.Is(err, db.ErrUnavailable) },
	})
	return w
}

// close refuses new sends and waits, as long as ctx lasts, until those that wait are stored.
func (w *sends) close(ctx context.Context) error {
	if err := w.group.Close(ctx); err != nil {
		return fmt.Errorf("messages are still waiting to be stored: %w", err)
	}
	return nil
}

// admit returns an [Unavailable] error if another draft would be refused.
func (w *sends) admit() error {
	if w.group.Full() {
		return explainWait(groupcommit.ErrFull)
	}
	return nil
}

// store stores a draft, in a batch with concurrent ones, and waits for the outcome.
func (w *sends) store(ctx context.Context, draft Draft) (m Message, replayed bool, err error) {
	s := &send{draft: draft.stored(), change: mailbox.Change{Owners: []string{draft.Recipient, draft.Sender}, N: 1}}
	if err := w.group.Do(ctx, s); err != nil {
		return Message{}, false, explainWait(err)
	}
	if s.err != nil {
		return Message{}, false, s.err
	}
	return *s.message, s.replayed, nil
}

// explainWait makes an [Unavailable] error of the errors of package groupcommit.
func explainWait(err error) error {
	switch {
	case errors.Is(err, groupcommit.ErrFull):
		return unavailable("Too many messages are waiting to be stored. Try again shortly.")
	case errors.Is(err, groupcommit.ErrClosed):
		return unavailable("The server is shutting down.")
	case errors.Is(err, groupcommit.ErrTooSlow):
		return unavailable("Storing the message takes too long. Try again with the same idempotency key.")
	}
	return err
}

// write stores a batch, and sets the outcome of each send except those it returns.
func (w *sends) write(batch []*send) (failed []*send, err error) {
	rest := batch
	if !slices.ContainsFunc(batch, (*send).needsRules) {
		if rest, err = w.storeFast(batch); err != nil {
			return batch, err
		}
	}
	if len(rest) < len(batch) {
		w.committed(batch)
	}
	if len(rest) == 0 {
		return nil, nil
	}
	changes := make([]*mailbox.Change, len(rest))
	for i, s := range rest {
		changes[i] = &s.change
	}
	err = w.mailboxes.Batch(context.Background(), changes, func(ctx context.Context, tx *sqlx.Tx) error {
		return store(ctx, tx, rest)
	})
	if err != nil {
		return rest, err
	}
	w.committed(rest)
	return nil, nil
}

// storeFast stores a batch by the engine's one statement, if it has one, and returns the sends that
// it has not stored. With one statement, row locks are not held during round trips.
func (w *sends) storeFast(batch []*send) (rest []*send, err error) {
	for i, id := range w.mailboxes.NewIDs(len(batch)) {
		batch[i].draft.ID, batch[i].outcome = id, outcome{} // not of an earlier attempt
	}
	stored, err := w.engine.storeBatch(context.Background(), draftsOf(batch))
	if err != nil {
		return nil, err
	}
	return settle(batch, stored), nil
}

// committed counts the messages that a batch has stored, and publishes the changed mailboxes.
func (w *sends) committed(batch []*send) {
	users := make([]string, 0, 2*len(batch))
	for _, s := range batch {
		if s.message != nil && !s.replayed {
			users = append(users, s.change.Owners...)
			if w.indexer != nil {
				w.indexer.sent(s.message)
			}
		}
	}
	w.stored.add(len(users) / 2)
	w.mailboxes.Publish(users)
}
