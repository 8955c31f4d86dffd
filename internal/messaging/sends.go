package messaging

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/groupcommit"
	"github.com/message-service/message-service/internal/mailbox"
)

// sendTimeout bounds the wait for the outcome of a send.
const sendTimeout = 20 * time.Second

// sends stores drafts, many at a time.
type sends struct {
	engine    engine
	mailboxes *mailbox.Mailboxes
	group     *groupcommit.Committer[*send]
	stored    *meter // sends that were stored
}

// send is a draft on its way into the store, and its outcome.
type send struct {
	draft  StoredMessage // has no id before its mailboxes are locked
	change mailbox.Change
	outcome
}

// outcome is what became of a send: its message was stored or replayed, or it was
// refused with err.
type outcome struct {
	message  *Message
	replayed bool
	err      error
}

// Keys are the users of a send: it is stored after those of theirs that came before it.
func (s *send) Keys() []string { return s.change.Owners }

// Fail notes that a send was not stored.
func (s *send) Fail(err error) { s.outcome = outcome{err: explain(err)} }

func startSends(database *db.DB, e engine, mailboxes *mailbox.Mailboxes, options Options) *sends {
	w := &sends{engine: e, mailboxes: mailboxes, stored: newMeter()}
	w.group = groupcommit.Start(groupcommit.Options[*send]{
		Size: options.QueueSize, Writers: database.Slots.Batches, Timeout: sendTimeout, Write: w.write,
		Shared: func(err error) bool { return errors.Is(err, db.ErrUnavailable) },
	})
	return w
}

// close refuses new sends and waits, as long as ctx lasts, until those that wait are stored.
func (w *sends) close(ctx context.Context) error {
	if err := w.group.Close(ctx); err != nil {
		return fmt.Errorf("messages are still waiting to be stored: %w", err)
	}
	w.engine.close(ctx)
	return nil
}

// admit returns an [Unavailable] error if another draft would be refused.
func (w *sends) admit() error {
	if w.group.Full() {
		return explainWait(groupcommit.ErrFull)
	}
	return nil
}

// store stores a draft, with others that come at the same time, and waits for the outcome.
func (w *sends) store(ctx context.Context, draft Draft) (m Message, replayed bool, err error) {
	s := &send{draft: draft.message(), change: mailbox.Change{Owners: []string{draft.Recipient, draft.Sender}, N: 1}}
	if err := w.group.Do(ctx, s); err != nil {
		return Message{}, false, explainWait(err)
	}
	if s.err != nil {
		return Message{}, false, s.err
	}
	return *s.message, s.replayed, nil
}

// explainWait says why a draft was not stored, or not in time.
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

// write stores a batch, and sets the outcome of each send but of those it returns.
func (w *sends) write(batch []*send) (failed []*send, err error) {
	rest, err := w.storeAtOnce(batch)
	if err != nil {
		return batch, err
	}
	if len(rest) < len(batch) {
		w.publish(batch)
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
	w.publish(rest)
	return nil, nil
}

// storeAtOnce stores a batch by one statement, if the engine has one, and returns the sends
// whose outcome it did not find out, for the usual way. The locks last as long as the database
// takes, and not while this process has other things to do. That is safe only where every send has an
// idempotency key: they may have been stored where the answer was lost.
func (w *sends) storeAtOnce(batch []*send) (rest []*send, err error) {
	for _, s := range batch {
		if s.draft.Hash == nil || s.draft.ReplyTo != nil {
			return batch, nil
		}
	}
	for i, id := range w.mailboxes.NewIDs(len(batch)) {
		batch[i].draft.ID = id
	}
	stored, done, err := w.engine.storeBatch(context.Background(), draftsOf(batch))
	switch {
	case errors.Is(err, db.ErrUnavailable):
		return nil, err
	case !done:
		return batch, nil
	}
	return settle(batch, stored), nil
}

// publish announces whose mailboxes a batch has changed.
func (w *sends) publish(batch []*send) {
	users := make([]string, 0, 2*len(batch))
	for _, s := range batch {
		if s.message != nil && !s.replayed {
			users = append(users, s.change.Owners...)
		}
	}
	w.stored.add(len(users) / 2)
	w.mailboxes.Publish(users)
	w.engine.stored(len(users) / 2)
}

// store stores a batch in a transaction that has locked its mailboxes.
func store(ctx context.Context, tx *sqlx.Tx, batch []*send) error {
	for _, s := range batch {
		s.outcome = outcome{} // of an earlier attempt
		s.draft.ID = s.change.IDs[0]
	}
	accepted, err := refuse(ctx, tx, batch)
	if err != nil {
		return err
	}
	ids, err := insertMessages(ctx, tx, draftsOf(accepted))
	if err != nil {
		return err
	}
	rest := settle(batch, ids)
	messages := make([]*Message, 0, len(ids))
	for _, s := range accepted {
		if s.message != nil {
			messages = append(messages, s.message)
		}
	}
	if err := touchConversations(ctx, tx, messages); err != nil {
		return err
	}
	return replay(ctx, tx, rest)
}

func draftsOf(batch []*send) []*StoredMessage {
	drafts := make([]*StoredMessage, len(batch))
	for i, s := range batch {
		drafts[i] = &s.draft
	}
	return drafts
}

// settle sets the outcome of the sends whose messages were stored, and returns the others.
func settle(batch []*send, stored []ID) (rest []*send) {
	isStored := make(map[ID]bool, len(stored))
	for _, id := range stored {
		isStored[id] = true
	}
	for _, s := range batch {
		if isStored[s.draft.ID] {
			s.message = &s.draft.Message
		} else {
			rest = append(rest, s)
		}
	}
	return rest
}

// refuse gives the sends that break a rule their error and returns the others.
func refuse(ctx context.Context, tx *sqlx.Tx, batch []*send) (accepted []*send, err error) {
	var doubtful, replies []*StoredMessage
	for _, s := range batch {
		if s.change.Blocking {
			doubtful = append(doubtful, &s.draft)
		}
		if s.draft.ReplyTo != nil {
			replies = append(replies, &s.draft)
		}
	}
	blocked, err := selectBlocked(ctx, tx, doubtful)
	if err != nil {
		return nil, err
	}
	repliedTo, err := selectRepliedTo(ctx, tx, replies)
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
func replay(ctx context.Context, tx *sqlx.Tx, repeated []*send) error {
	if len(repeated) == 0 {
		return nil
	}
	found, err := selectKeyed(ctx, tx, draftsOf(repeated))
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
		m, ok := byKey[scope{s.draft.Recipient, s.draft.Sender, string(s.draft.Hash)}]
		switch {
		case !ok && s.err != nil:
		case !ok:
			return errors.New("a message was neither stored nor found under its idempotency key")
		case m.isOfAnother(s.draft.KeyRecord):
			s.err = keyReused()
		default:
			s.message, s.replayed, s.err = &m.Message, true, nil
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
