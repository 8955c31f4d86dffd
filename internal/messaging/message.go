package messaging

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"
)

// Limits that a schema cannot express.
const (
	MetadataMaxBytes  = 4096 // of compact JSON
	MetadataMaxDepth  = 30   // levels of objects and arrays, the metadata itself counted
	DefaultWindowDays = 30   // how far back a list goes when it is not told
)

// Message is a message as it is now. A deleted message has neither text nor
// metadata.
type Message struct {
	ID        ID     `db:"id"`
	Sender    string `db:"sender"`
	Recipient string `db:"recipient"`
	Text      string `db:"text"`
	Metadata  string `db:"metadata"` // a JSON object; empty if there is none
	Changed   *ID    `db:"changed"`  // the newest edit or deletion
	Deleted   bool   `db:"deleted"`
}

// Draft is a message to be sent.
type Draft struct {
	Sender         string
	Recipient      string
	Text           string
	Metadata       string // a JSON object; empty if there is none
	IdempotencyKey string // empty if there is none
}

// fingerprint tells two requests with the same idempotency key apart.
func (d *Draft) fingerprint() []byte {
	hash := sha256.New()
	_, _ = fmt.Fprintf(hash, "%d:%s%d:%s", len(d.Text), d.Text, len(d.Metadata), d.Metadata)
	return hash.Sum(nil)
}

// Send stores a message and returns it once it is on disk. With an idempotency
// key that the sender has used before for the same recipient, it returns the
// message of that time, in its present form, and true.
//
// Errors: [InvalidArgument]; [IdempotencyKeyReused] when the key came with another
// message before; [Unavailable] when the message may not have been stored, in
// which case the same draft may be sent again under the same key. When ctx ends
// first, Send returns its error and the message is stored all the same.
func (s *Service) Send(ctx context.Context, draft Draft) (m Message, replayed bool, err error) {
	if len(draft.Metadata) > MetadataMaxBytes {
		return Message{}, false, invalid("metadata", fmt.Sprintf("must be at most %d bytes of compact JSON", MetadataMaxBytes))
	}
	return s.writer.send(ctx, draft)
}

// Get returns a message. Errors: [NotFound], also for a deleted one; [Unavailable].
func (s *Service) Get(ctx context.Context, id ID) (Message, error) {
	var m *Message
	err := s.db.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) (err error) {
		m, err = selectMessage(ctx, q, id)
		return err
	})
	if err != nil {
		return Message{}, explain(err)
	}
	if m == nil || m.Deleted {
		return Message{}, noSuchMessage()
	}
	return *m, nil
}

// Delete erases a message and leaves a tombstone in its place; deleting it again
// changes nothing. Errors: [NotFound]; [Unavailable].
func (s *Service) Delete(ctx context.Context, id ID) error {
	return explain(s.db.Tx(ctx, writeTimeout, func(ctx context.Context, tx *sqlx.Tx) error {
		m, err := selectMessage(ctx, tx, id)
		if err != nil {
			return err
		}
		if m == nil {
			return noSuchMessage()
		}
		if m.Deleted {
			return nil
		}
		deletion := change{users: [2]string{m.Sender, m.Recipient}}
		if err := s.ids.stamp(ctx, tx, []*change{&deletion}); err != nil {
			return err
		}
		return eraseMessage(ctx, tx, m, deletion.id)
	}))
}

func noSuchMessage() *Error { return &Error{Code: NotFound, Message: "There is no such message."} }

// Query selects messages; its zero value selects those of the last
// [DefaultWindowDays] days.
type Query struct {
	Recipient string     // anyone if empty
	Sender    string     // anyone if empty
	Since     *time.Time // inclusive
	Until     *time.Time // exclusive
	Before    *ID        // exclusive; the newest messages below it
	After     *ID        // exclusive; the oldest messages above it, or with Before the newest
	Limit     int
}

// Upward tells whether the query asks for the oldest messages that match, to catch
// up from a known one, and not for the newest.
func (q Query) Upward() bool { return q.After != nil && q.Before == nil }

// Page is a part of a list, newest first.
type Page struct {
	Messages []Message
	HasMore  bool // newer ones if the query is upward, else older ones
}

// List returns the newest messages that match, or the oldest ones if the query is
// upward; newest first either way. Errors: [InvalidArgument]; [Unavailable].
func (s *Service) List(ctx context.Context, query Query) (Page, error) {
	bounds, err := query.bounds(s.now())
	if err != nil {
		return Page{}, err
	}
	var messages []Message
	err = s.db.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) (err error) {
		messages, err = selectMessages(ctx, q, query, bounds)
		return err
	})
	if err != nil {
		return Page{}, explain(err)
	}
	return newPage(messages, query), nil
}

// idRange is low <= id < high.
type idRange struct{ low, high ID }

// bounds turns the times and cursors of the query into a range of ids.
func (q Query) bounds(now time.Time) (idRange, error) {
	since := now.AddDate(0, 0, -DefaultWindowDays)
	switch {
	case q.Since != nil:
		since = *q.Since
	case q.After != nil:
		since = time.Time{} // whoever resumes from an older message must not miss what lies between
	}
	r := idRange{low: firstIDAt(since), high: lastID}
	if q.Until != nil {
		if q.Until.Before(since) {
			return idRange{}, invalid("until", fmt.Sprintf("must not be before since, which is %d days ago when absent", DefaultWindowDays))
		}
		r.high = firstIDAt(*q.Until)
	}
	if q.Before != nil && q.Before.Compare(r.high) < 0 {
		r.high = *q.Before
	}
	if q.After != nil && q.After.Compare(r.low) >= 0 {
		r.low = q.After.successor()
	}
	return r, nil
}
