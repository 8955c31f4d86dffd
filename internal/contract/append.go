package contract

import (
	"encoding/hex"
	"strconv"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/message-service/message-service/internal/messaging"
)

// AppendMessage appends the JSON of [Message] to b. A page has many, and encoding/json
// would take as long for them as the database does to find them.
func AppendMessage(b []byte, m *messaging.Message) []byte {
	b = appendID(append(b, `{"id":`...), m.ID)
	b = appendText(append(b, `,"sender":`...), m.Sender)
	b = appendText(append(b, `,"recipient":`...), m.Recipient)
	b = appendText(append(b, `,"text":`...), m.Text)
	if m.Metadata != "" {
		b = append(append(b, `,"metadata":`...), m.Metadata...)
	}
	if m.ReplyTo != nil {
		b = appendID(append(b, `,"replyTo":`...), *m.ReplyTo)
	}
	b = appendQuoted(append(b, `,"sentAt":`...), m.ID.Time())
	if m.Changed != nil {
		name := `,"editedAt":`
		if m.Deleted {
			name = `,"deletedAt":`
		}
		b = appendQuoted(append(b, name...), m.Changed.Time())
	}
	return append(b, '}')
}

// AppendReadMarker appends the JSON of [ReadMarker] to b.
func AppendReadMarker(b []byte, m *messaging.ReadMarker) []byte {
	b = appendText(append(b, `{"user":`...), m.Owner)
	b = appendText(append(b, `,"peer":`...), m.Peer)
	b = appendID(append(b, `,"messageId":`...), m.MessageID)
	return append(appendQuoted(append(b, `,"readAt":`...), m.Changed.Time()), '}')
}

// AppendChange appends the JSON of [Change] to b.
func AppendChange(b []byte, c *messaging.Change) []byte {
	b = appendID(append(b, `{"cursor":`...), c.Cursor)
	b = append(append(append(b, `,"type":"`...), ChangeType(c)...), '"')
	if c.Message != nil {
		b = AppendMessage(append(b, `,"message":`...), c.Message)
	} else {
		b = AppendReadMarker(append(b, `,"readMarker":`...), c.ReadMarker)
	}
	return append(b, '}')
}

// AppendConversation appends the JSON of [Conversation] to b.
func AppendConversation(b []byte, c *messaging.Conversation) []byte {
	b = appendText(append(b, `{"peer":`...), c.Peer)
	b = AppendMessage(append(b, `,"lastMessage":`...), &c.LastMessage)
	b = strconv.AppendInt(append(b, `,"unreadCount":`...), int64(c.Unread), 10)
	if c.Marker != (messaging.ReadMarker{}) {
		b = AppendReadMarker(append(b, `,"readMarker":`...), &c.Marker)
	}
	if c.PeerMarker != (messaging.ReadMarker{}) {
		b = AppendReadMarker(append(b, `,"peerReadMarker":`...), &c.PeerMarker)
	}
	return append(b, '}')
}

func appendText(b []byte, s string) []byte {
	if isPlain(s) {
		return append(append(append(b, '"'), s...), '"')
	}
	b, _ = jsontext.AppendQuote(b, s) // its error is that s was no UTF-8, which it mends
	return b
}

// isPlain tells whether JSON writes a text as it is: all of it is ASCII, and none
// of it a control character, a quotation mark or a backslash. Most texts are so. To look at eight characters at
// a time takes a fifth of what jsontext takes.
func isPlain(s string) bool {
	const each, high = 0x0101010101010101, 0x8080808080808080
	for ; len(s) >= 8; s = s[8:] {
		x := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
		// A byte below what is subtracted from it borrows, which sets its highest bit.
		if (x|(x-each*' ')|((x^each*'"')-each)|((x^each*'\\')-each))&high != 0 {
			return false
		}
	}
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > 0x7f || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

func appendID(b []byte, id messaging.ID) []byte {
	b = hex.AppendEncode(append(b, '"'), id[:4])
	b = hex.AppendEncode(append(b, '-'), id[4:6])
	b = hex.AppendEncode(append(b, '-'), id[6:8])
	b = hex.AppendEncode(append(b, '-'), id[8:10])
	b = hex.AppendEncode(append(b, '-'), id[10:])
	return append(b, '"')
}

func appendQuoted(b []byte, t time.Time) []byte {
	return append(appendTime(append(b, '"'), t), '"')
}

// appendTime appends a time to the millisecond, in UTC. Package time writes RFC 3339
// several times as fast as any other layout.
func appendTime(b []byte, t time.Time) []byte {
	b = t.UTC().AppendFormat(b, time.RFC3339)
	ms := t.Nanosecond() / int(time.Millisecond)
	return append(b[:len(b)-1], '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10), 'Z')
}
