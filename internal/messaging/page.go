package messaging

// PageMaxBytes is how many bytes of JSON a page may have before it ends: with the row that
// passes it.
const PageMaxBytes = 512 << 10

// pageBytes counts the JSON of the messages of a page. Since hardly any page is large, it
// counts what they have at most, and exactly only where that would be too much.
type pageBytes struct {
	atMost  int
	exactly int // of those that were counted so
	counted int
}

// passed counts the last message, and reports whether the page has to end with it.
func (b *pageBytes) passed(messages []Message, limit int) bool {
	last := &messages[len(messages)-1]
	b.atMost += messageMaxBytes + maxEscape*(len(last.Text)) + len(last.Metadata)
	if b.atMost <= limit {
		return false
	}
	for ; b.counted < len(messages); b.counted++ {
		b.exactly += messages[b.counted].JSONBytes()
	}
	b.atMost = b.exactly
	return b.exactly > limit
}

const (
	maxEscape       = 6   // bytes of JSON for a byte: \u0001
	messageMaxBytes = 512 // of JSON around a text and metadata
	idBytes         = 36
	timeBytes       = 24
)

// JSONBytes is the length of the message as the JSON of the API.
func (m *Message) JSONBytes() int {
	n := len(`{"id":"","sender":"","recipient":"","text":"","sentAt":""}`) + idBytes + timeBytes +
		len(m.Sender) + len(m.Recipient) + escapedBytes(m.Text)
	if m.Metadata != "" {
		n += len(`,"metadata":`) + len(m.Metadata)
	}
	if m.ReplyTo != nil {
		n += len(`,"replyTo":""`) + idBytes
	}
	if m.Changed != nil {
		n += len(`,"editedAt":""`) + timeBytes
		if m.Deleted {
			n += len("deleted") - len("edited")
		}
	}
	return n
}

// escapedBytes is the length of a text within the quotation marks of JSON.
func escapedBytes(text string) int {
	n := len(text)
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"', c == '\\', c == '\b', c == '\f', c == '\n', c == '\r', c == '\t':
			n++
		case c < ' ':
			n += maxEscape - 1
		}
	}
	return n
}
