package messaging

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/mailbox"
	"github.com/message-service/message-service/internal/roster"
)

// send is a draft to be stored, and its outcome.
type send struct {
	draft  StoredMessage   // gets its id when it is stored
	keys   []string        // see Keys
	change *mailbox.Change // of a send to a group, once that is locked
	place  int             // of its id among those of the change
	tried  ID              // the id with which the fast path may have stored it, if its answer was lost
	outcome
}

// outcome is the outcome of a send: its message was stored or replayed, or it was refused with err.
type outcome struct {
	message  *Message
	replayed bool
	err      error
	final    bool // the transaction is committed
}

// isStored reports whether the message was stored by this send, and not by an earlier one with the same key.
func (o *outcome) isStored() bool { return o.message != nil && !o.replayed }

func newSend(draft Draft) *send {
	s := &send{draft: draft.stored(), keys: []string{draft.Recipient}}
	if !roster.IsGroup(draft.Recipient) {
		s.keys = append(s.keys, draft.Sender)
		s.change = &mailbox.Change{Owners: s.keys, N: 1}
	}
	return s
}

// needsRules reports whether the draft may not take the fast path: it is a reply, or it has taken that path already, and
// nobody knows whether it was stored.
func (s *send) needsRules() bool { return s.draft.ReplyTo != nil || s.tried != ID{} }

// Keys are the users of a send, or the group that it is to. Their sends are stored in the order they came.
func (s *send) Keys() []string { return s.keys }

// Fail records that a send was not stored, or that nobody knows, unless a panic came after its transaction.
func (s *send) Fail(err error) {
	if !s.final {
		s.outcome = outcome{err: explain(err)}
	}
}

// store stores a batch in a transaction that has locked its mailboxes, and sets the outcome of
// each send.
func store(ctx context.Context, tx *sqlx.Tx, batch []*send) error {
	batch, err := settleTried(ctx, tx, batch)
	if err != nil {
		return err
	}
	for _, s := range batch {
		s.outcome = outcome{} // of an earlier attempt
		s.draft.ID = s.change.IDs[s.place]
	}
	accepted, err := refuse(ctx, tx, batch)
	if err != nil {
		return err
	}
	ids, err := InsertMessages(ctx, tx, draftsOf(accepted))
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
	if err := setLastMessages(ctx, tx, messages); err != nil {
		return err
	}
	return replayAll(ctx, tx, rest)
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

// settleTried sets the outcome of the sends that the fast path has stored although its answer was lost, and returns
// the others. Those it will never store: the clocks of their mailboxes are above the ids by now, even if its statement
// is still under way.
func settleTried(ctx context.Context, tx *sqlx.Tx, batch []*send) (rest []*send, err error) {
	var tried []ID
	for _, s := range batch {
		if s.tried != (ID{}) {
			s.draft.ID, tried = s.tried, append(tried, s.tried)
		}
	}
	stored, err := selectIdentities(ctx, tx, tried)
	if err != nil {
		return nil, err
	}
	return settle(batch, slices.Collect(maps.Keys(stored))), nil
}

// refuse sets the error of each send that breaks a rule and returns the others.
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
		case len(s.change.Closed) > 0:
			s.err = userClosed()
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

// replayAll sets the outcome of the sends that were not stored to the message that holds their
// idempotency key. The mailboxes are locked, so that message is committed or part
// of this batch. It may be there even if the send was refused: it was stored before the
// rule applied.
func replayAll(ctx context.Context, tx *sqlx.Tx, repeated []*send) error {
	rest, err := replay(ctx, tx, repeated)
	if err == nil && slices.ContainsFunc(rest, func(s *send) bool { return s.err == nil }) {
		err = errors.New("a message was neither stored nor found under its idempotency key")
	}
	return err
}

// replay sets the outcome of the sends whose idempotency keys are taken to the messages that hold them,
// and returns the others.
func replay(ctx context.Context, tx *sqlx.Tx, list []*send) (rest []*send, err error) {
	if len(list) == 0 {
		return nil, nil
	}
	found, err := selectKeyed(ctx, tx, draftsOf(list))
	if err != nil {
		return nil, err
	}
	type scope struct{ recipient, sender, keyHash string }
	byKey := make(map[scope]*StoredMessage, len(found))
	for i := range found {
		m := &found[i]
		byKey[scope{m.Recipient, m.Sender, string(m.Hash)}] = m
	}
	for _, s := range list {
		m, ok := byKey[scope{s.draft.Recipient, s.draft.Sender, string(s.draft.Hash)}]
		switch {
		case !ok:
			rest = append(rest, s)
		case m.isOfOtherRequest(s.draft.KeyRecord):
			s.err = keyReused()
		default:
			s.message, s.replayed, s.err = &m.Message, true, nil
		}
	}
	return rest, nil
}

func keyReused() *Error {
	const detail = "was used before with a different request body"
	return &Error{
		Code:    IdempotencyKeyReused,
		Message: "This idempotency key " + detail + ".",
		Fields:  []Field{{Name: "Idempotency-Key", Detail: detail}},
	}
}
