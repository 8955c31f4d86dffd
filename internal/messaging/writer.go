package messaging

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
)

// sendTimeout bounds the wait for the outcome of a send.
const sendTimeout = 20 * time.Second

// send is a draft on its way through the writer.
type send struct {
	draft  Draft
	key    KeyRecord // of the draft, made before it waits: writers have no time for that
	change change
	outcome
	done chan struct{} // closed when the outcome is known
}

// outcome is what became of a send: its message was stored or replayed, or it was
// refused with err.
type outcome struct {
	message  Message
	stored   bool
	replayed bool
	err      error
}

// writer stores sends in batches. Each of its goroutines takes what waits in the queue
// and stores it in one transaction.
type writer struct {
	db      *db.DB
	ids     *idGenerator
	changed func(users []string)
	engine  engine
	queue   *queue
	stored  *meter // sends that were stored
	running sync.WaitGroup
}

func startWriter(database *db.DB, e engine, ids *idGenerator, options Options) *writer {
	w := &writer{db: database, engine: e, ids: ids, changed: options.Changed, queue: newQueue(options.QueueSize), stored: newMeter()}
	for range database.Slots.Sends {
		w.running.Go(w.run)
	}
	return w
}

// close refuses new sends and waits, as long as ctx lasts, until those in the queue
// are stored.
func (w *writer) close(ctx context.Context) error {
	w.queue.close()
	if !isDone(ctx, &w.running) {
		return fmt.Errorf("messages are still waiting to be stored: %w", ctx.Err())
	}
	w.engine.close(ctx)
	return nil
}

// isDone waits for a group, and tells whether it was done before ctx.
func isDone(ctx context.Context, group *sync.WaitGroup) bool {
	done := make(chan struct{})
	go func() {
		group.Wait()
		close(done)
	}()
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}

// send queues a draft and waits for its outcome.
func (w *writer) send(ctx context.Context, draft Draft) (Message, bool, error) {
	s := &send{
		draft:  draft,
		key:    draft.key(),
		change: change{users: [2]string{draft.Sender, draft.Recipient}},
		done:   make(chan struct{}),
	}
	if err := w.queue.put(s); err != nil {
		return Message{}, false, err
	}
	select {
	case <-s.done:
		return s.message, s.replayed, s.err
	case <-ctx.Done():
		return Message{}, false, ctx.Err()
	case <-time.After(sendTimeout):
		return Message{}, false, &Error{Code: Unavailable, Message: "Storing the message takes too long. Try again with the same idempotency key."}
	}
}

func (w *writer) run() {
	for batch := w.queue.take(); batch != nil; batch = w.queue.take() {
		w.write(batch)
		w.queue.release(batch)
		for _, s := range batch {
			close(s.done)
		}
	}
}

// write stores a batch and sets the outcome of each send. A batch that fails for
// the sake of one send is halved until that one stands alone.
func (w *writer) write(batch []*send) {
	rest := w.writeAtOnce(batch)
	if len(rest) < len(batch) {
		w.tell(batch)
	}
	if batch = rest; len(batch) == 0 {
		return
	}
	err := w.db.Add(context.Background(), writeTimeout, func(ctx context.Context, tx *sqlx.Tx) error {
		return w.store(ctx, tx, batch)
	})
	switch {
	case err == nil:
		w.tell(batch)
	case len(batch) > 1 && !errors.Is(err, db.ErrUnavailable):
		w.write(batch[:len(batch)/2])
		w.write(batch[len(batch)/2:])
	default:
		for _, s := range batch {
			s.err = explain(err)
		}
	}
}

// tell tells whose mailboxes a batch has changed.
func (w *writer) tell(batch []*send) {
	users := make([]string, 0, 2*len(batch))
	for _, s := range batch {
		if s.stored {
			users = append(users, s.draft.Recipient, s.draft.Sender)
		}
	}
	w.stored.add(len(users) / 2)
	w.changed(users)
	w.engine.stored(len(users) / 2)
}

// store stores a batch in the transaction.
func (w *writer) store(ctx context.Context, tx *sqlx.Tx, batch []*send) error {
	changes := make([]*change, len(batch))
	for i, s := range batch {
		s.outcome = outcome{} // of an earlier attempt
		changes[i] = &s.change
	}
	if err := w.ids.stamp(ctx, tx, changes); err != nil {
		return err
	}
	accepted, err := refuse(ctx, tx, batch)
	if err != nil {
		return err
	}
	messages, err := insertMessages(ctx, tx, accepted)
	if err != nil {
		return err
	}
	if err := touchConversations(ctx, tx, messages); err != nil {
		return err
	}
	if len(messages) < len(batch) {
		return replay(ctx, tx, batch)
	}
	return nil
}

// refuse gives the sends that break a rule their error and returns the others.
func refuse(ctx context.Context, tx *sqlx.Tx, batch []*send) (accepted []*send, err error) {
	blocked, err := selectBlocked(ctx, tx, batch)
	if err != nil {
		return nil, err
	}
	repliedTo, err := selectRepliedTo(ctx, tx, batch)
	if err != nil {
		return nil, err
	}
	for _, s := range batch {
		d := &s.draft
		switch {
		case blocked[side{d.Recipient, d.Sender}]:
			s.err = senderBlocked()
		case d.ReplyTo != nil && !repliedTo[*d.ReplyTo].isBetween(d.Sender, d.Recipient):
			s.err = invalid("replyTo", "must be a message between the sender and the recipient")
		default:
			accepted = append(accepted, s)
		}
	}
	return accepted, nil
}

// replay answers the sends that were not stored with the message that holds their
// idempotency key. The mailboxes are locked, so that message is committed or part
// of this batch. What was refused now may have been stored before.
func replay(ctx context.Context, tx *sqlx.Tx, batch []*send) error {
	var repeated []*send
	for _, s := range batch {
		if !s.stored {
			repeated = append(repeated, s)
		}
	}
	found, err := selectKeyed(ctx, tx, repeated)
	if err != nil {
		return err
	}
	type scope struct{ recipient, sender, keyHash string }
	byKey := make(map[scope]*StoredMessage, len(found))
	for i := range found {
		m := &found[i]
		byKey[scope{m.Recipient, m.Sender, string(m.Hash)}] = m
	}
	for _, s := range repeated {
		m, ok := byKey[scope{s.draft.Recipient, s.draft.Sender, string(s.key.Hash)}]
		switch {
		case !ok && s.err != nil:
		case !ok:
			return errors.New("a message was neither stored nor found under its idempotency key")
		case m.isOfAnother(s.key):
			s.err = keyReused()
		default:
			s.message, s.replayed, s.err = m.Message, true, nil
		}
	}
	return nil
}

func keyReused() *Error {
	const detail = "was used before with a different request body"
	return &Error{
		Code:    IdempotencyKeyReused,
		Message: "This idempotency key " + detail + ".",
		Fields:  []Field{{Name: "Idempotency-Key", Detail: detail}},
	}
}
