package messaging

import (
	"fmt"
	"time"

	"github.com/message-service/message-service/internal/mailbox"
)

// Limits that a schema cannot express.
const (
	MetadataMaxBytes  = 4096 // of compact JSON
	MetadataMaxDepth  = 30   // levels of objects and arrays, the metadata itself counted
	DefaultWindowDays = 30   // how far back a list goes when it is not told
)

// Message is a message as it is now. A deleted message has neither text nor
// metadata, and replies to nothing.
type Message struct {
	ID        ID
	Sender    string
	Recipient string
	Text      string
	Metadata  string // a JSON object; empty if there is none
	ReplyTo   *ID
	Changed   *ID // the newest edit or deletion
	Deleted   bool
}

// isBetween tells whether there is a message and one of the users wrote it to the other.
func (m *Message) isBetween(a, b string) bool {
	return m != nil && (m.Sender == a && m.Recipient == b || m.Sender == b && m.Recipient == a)
}

// StoredMessage is a message with the record of its idempotency key.
type StoredMessage struct {
	Message
	KeyRecord
}

// KeyRecord is what a store keeps of the idempotency key a message was sent with: enough to
// recognise the key and the request, but nothing that confirms a guess at either. It is
// the zero value without a key.
type KeyRecord struct {
	Hash        []byte // SHA-256 of the key
	Fingerprint []byte // HMAC-SHA-256 of the hash of the request, by the key; may be nil of a message deleted long ago
}

// Draft is a message to be sent.
type Draft struct {
	Sender         string
	Recipient      string
	Text           string
	Metadata       string // a JSON object; empty if there is none
	ReplyTo        *ID    // a message of the same two users
	IdempotencyKey string // empty if there is none
}

// message is what the draft becomes, but for its id.
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
	Recipient string // anyone if empty
	Sender    string // anyone if empty
	Words     string // as a person types them: all must be in the text; needs a recipient or a sender
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

// Upward tells whether the window asks for the oldest messages that match, to catch
// up from a known one, and not for the newest.
func (w Window) Upward() bool { return w.After != nil && w.Before == nil }

// Page is a part of a list, newest first. It has as many messages as were asked for, or ends
// with the one with which it has [PageMaxBytes].
type Page struct {
	Messages []Message
	HasMore  bool // newer ones if the query is upward, else older ones
}

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
