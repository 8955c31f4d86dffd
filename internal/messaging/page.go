package messaging

import (
	"fmt"
	"strconv"

	"github.com/message-service/message-service/internal/table"
)

// PageMaxBytes bounds the JSON of a page: the page ends with the row that exceeds it.
const PageMaxBytes = 512 << 10

// pageOfRows makes a page of rows: up to the limit, or to the row with which it exceeds [PageMaxBytes].
//
// A row that repeats the one before it is left out, but counts towards the limit: such a page is
// short, and the rest of the list may consist of repetitions.
type pageOfRows struct {
	Page

	limit, rows int
	bytes       pageBytes
	full        bool
}

// ends counts a row, and reports whether the page has ended before it.
func (p *pageOfRows) ends() bool {
	if p.rows++; p.full || p.rows > p.limit {
		p.endAtLast()
	}
	return p.HasMore
}

// add adds a row.
func (p *pageOfRows) add(m *Message) {
	if last := len(p.Messages) - 1; last >= 0 && p.Messages[last].ID == m.ID {
		return
	}
	if p.Messages == nil {
		p.Messages = make([]Message, 0, p.limit)
	}
	p.Messages = append(p.Messages, *m)
	p.full = p.bytes.passed(p.Messages, PageMaxBytes)
}

// pageBytes counts the bytes of JSON of the messages of a page. It counts exactly only if
// an upper bound, which is cheap, exceeds the limit, since few pages are that large.
type pageBytes struct {
	atMost  int
	exactly int // of the first messages
	counted int // the number of these
}

// passed counts the last message, and reports whether the limit is exceeded.
func (b *pageBytes) passed(messages []Message, limit int) bool {
	last := &messages[len(messages)-1]
	b.atMost += messageMaxBytes + maxEscape*(len(last.Text)) + len(last.Metadata) + highlightMaxBytes*len(last.Highlights)
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
	maxEscape       = 6   // bytes of JSON for a byte at most, as in \u0001
	messageMaxBytes = 512 // of JSON without a text, metadata and highlights
	idBytes         = 36
	timeBytes       = 24

	highlightMaxBytes = len(`{"start":4095,"end":4096},`)
)

// JSONBytes is the length in bytes of the message in the JSON of the API.
func (m *Message) JSONBytes() int {
	n := len(`{"sentAt":""}`) + timeBytes
	for i := range messageColumns {
		if c := &messageColumns[i]; c.Member != "" {
			if value := jsonBytes(c.Field(m)); value > 0 {
				n += len(`,"":`) + len(c.Member) + value
			}
		}
	}
	if m.Changed != nil {
		n += len(`,"editedAt":""`) + timeBytes
		if m.Deleted {
			n += len("deleted") - len("edited")
		}
	}
	if m.Highlights != nil {
		n += len(`,"highlights":[]`) + max(0, len(m.Highlights)-1) // with the commas between them
		for _, span := range m.Highlights {
			n += len(`{"start":,"end":}`) + len(strconv.Itoa(span.Start)) + len(strconv.Itoa(span.End))
		}
	}
	return n
}

// jsonBytes is the length of a field as a value of JSON, or 0 if there is none.
func jsonBytes(field any) int {
	switch field := field.(type) {
	case *ID:
		return len(`""`) + idBytes
	case *string:
		return len(`""`) + escapedBytes(*field)
	case *table.OptionalJSON:
		return len(*field)
	case **ID:
		if *field == nil {
			return 0
		}
		return len(`""`) + idBytes
	}
	switch v := value(field).(type) {
	case nil:
		return 0
	case string:
		return len(`""`) + escapedBytes(v)
	default: // a number, or true or false
		return len(fmt.Sprint(v))
	}
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
