package messaging

import (
	"fmt"
	"time"

	"github.com/message-service/message-service/internal/mailbox"
	"github.com/message-service/message-service/internal/words"
)

// Limits that a schema cannot express.
const (
	MetadataMaxBytes  = 4096 // of compact JSON
	MetadataMaxDepth  = 30   // levels of objects and arrays, the metadata itself counted
	DefaultWindowDays = 30   // how far back a list goes without a cursor or time
)

// ID identifies a message and every change; see [mailbox.ID].
type ID = mailbox.ID

// Message is a message as it is now. A deleted message has neither text nor
// metadata, and replies to nothing.
type Message struct {
	ID         ID
	Sender     string
	Recipient  string
	Text       string
	Metadata   string // a JSON object; empty if there is none
	ReplyTo    *ID
	Changed    *ID // the newest edit or deletion
	Deleted    bool
	Highlights []words.Span // where the words of a search are in the text, if [Query.Highlight] asks for it
}

// isBetween reports whether the message is not nil and one of the users sent it to the other.
func (m *Message) isBetween(a, b string) bool {
	return m != nil && (m.Sender == a && m.Recipient == b || m.Sender == b && m.Recipient == a)
}

// isIn reports whether the message is not nil and one of a group, from an id on.
func (m *Message) isIn(group string, from ID) bool {
	return m != nil && m.Recipient == group && m.ID.Compare(from) >= 0
}

// position is where a message is in feeds.
func (m *Message) position() ID {
	if m.Changed != nil {
		return *m.Changed
	}
	return m.ID
}

// StoredMessage is a message with the record of its idempotency key.
type StoredMessage struct {
	Message
	KeyRecord
}

// KeyRecord is what is stored of an idempotency key: enough to recognise the key and the request
// it came with. The fingerprint is keyed, so that a guess of the request cannot be confirmed without
// the key. Without a key the record is the zero value.
type KeyRecord struct {
	Hash        []byte // SHA-256 of the key
	Fingerprint []byte // HMAC-SHA-256 of the hash of the request, by the key; may be nil of a message deleted long ago
}

// Draft is a message to be sent.
type Draft struct {
	Sender         string
	Recipient      string // a user or a group
	Text           string
	Metadata       string // a JSON object; empty if there is none
	ReplyTo        *ID    // a message of the same two users, or the same group
	IdempotencyKey string // empty if there is none
}

// message makes the message of the draft, without an id.
func (d *Draft) message() Message {
	return Message{Sender: d.Sender, Recipient: d.Recipient, Text: d.Text, Metadata: d.Metadata, ReplyTo: d.ReplyTo}
}

func checkMetadata(metadata string) *Error {
	if len(metadata) > MetadataMaxBytes {
		return invalid("metadata", fmt.Sprintf("must be at most %d bytes of compact JSON", MetadataMaxBytes))
	}
	return nil
}

// Edit is what to replace in a message.
type Edit struct {
	Text     *string // nil leaves it as it is
	Metadata *string // nil leaves it as it is; empty removes it
}

// Query selects messages. Without words, cursors and Since it selects those of the
// last [DefaultWindowDays] days.
type Query struct {
	Recipient string // a user or a group; anyone if empty
	Sender    string // anyone if empty; without a recipient, of messages to users
	Words     string // as typed: all must be in the text; needs a recipient or a sender
	Highlight bool   // report where the words are in each text
	Window
}

// Window selects a part of a list of messages.
type Window struct {
	Since  *time.Time // inclusive
	Until  *time.Time // exclusive
	Before *ID        // exclusive; the newest messages below it
	After  *ID        // exclusive; the oldest messages above it, or with Before the newest
	Limit  int
}

// Upward reports whether the window selects the oldest messages that match, to catch
// up from a known one, and not the newest.
func (w Window) Upward() bool { return w.After != nil && w.Before == nil }

// Page is a page of a list, newest first. It ends at the limit, or with the message with which it
// exceeds [PageMaxBytes]. A search may end it earlier, even empty, when it has looked at many messages.
type Page struct {
	Messages []Message
	HasMore  bool // newer ones if the query is upward, else older ones
	Next     ID   // if there are more: the cursor of the next page, mostly the id of the last message in the direction asked for
}

// endAtLast ends the page with its last message, after which there are more.
func (p *Page) endAtLast() { p.HasMore, p.Next = true, p.Messages[len(p.Messages)-1].ID }

// idRange is low <= id < high.
type idRange struct{ low, high ID }

// bounds turns the times and cursors of the window into a range of ids.
func (w Window) bounds() (idRange, error) {
	r := idRange{high: mailbox.LastID}
	if w.Since != nil {
		r.low = mailbox.FirstIDAt(*w.Since)
	}
	if w.Until != nil {
		if w.Since != nil && w.Until.Before(*w.Since) {
			return idRange{}, invalid("until", "must not be before since")
		}
		r.high = mailbox.FirstIDAt(*w.Until)
	}
	if w.Before != nil && w.Before.Compare(r.high) < 0 {
		r.high = *w.Before
	}
	if w.After != nil && w.After.Compare(r.low) >= 0 {
		r.low = w.After.Successor()
	}
	return r, nil
}
