package messaging

import (
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/message-service/message-service/internal/table"
	"github.com/message-service/message-service/internal/words"
)

// TestRequestHash checks that a new column does not change the hash of a request without it, and
// that each of its values makes another hash.
func TestRequestHash(t *testing.T) {
	t.Parallel()
	priorities := map[*Message]*int{}
	later := slices.Concat(messageColumns, []table.Column[Message]{{
		Name: "priority", Erased: "NULL", Field: func(m *Message) any { return new(priorities[m]) },
	}})
	m := &Message{Text: "hello", Metadata: `{"a":1}`, ReplyTo: &ID{1}}
	const want = "4f8730bc1187ec3687140de53e4a28a9"
	for name, columns := range map[string][]table.Column[Message]{"now": messageColumns, "later": later} {
		if got := hex.EncodeToString(requestHash(m, columns))[:len(want)]; got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
	hashes := map[string]bool{string(requestHash(m, later)): true}
	for priority := range 3 {
		priorities[m] = &priority
		hashes[string(requestHash(m, later))] = true
	}
	if len(hashes) != 4 {
		t.Errorf("%d hashes", len(hashes))
	}
}

// TestJSONBytes checks the length of each kind of field as a value of JSON.
func TestJSONBytes(t *testing.T) {
	t.Parallel()
	for _, field := range []any{
		&ID{1}, new(&ID{1}), new((*ID)(nil)), new("text \"\\\n\x01é"), new(""), new(new("optional")), new((*string)(nil)),
		new(-12), new(new(7)), new((*int)(nil)), new(true), new(new(false)), new(1.5),
	} {
		value := field
		if id, isID := field.(*ID); isID {
			value = id.String()
		} else if id, isID := field.(**ID); isID && *id != nil {
			value = (*id).String()
		}
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		want := len(text)
		if string(text) == "null" {
			want = 0
		}
		if got := jsonBytes(field); got != want {
			t.Errorf("%s has %d bytes, not %d", text, want, got)
		}
	}
	if got := jsonBytes(new(table.OptionalJSON(`{"a":1}`))); got != 7 {
		t.Errorf("metadata has %d bytes", got)
	}
}

// TestPageBytes checks that the upper bound is no less than the JSON of a message with every column.
func TestPageBytes(t *testing.T) {
	t.Parallel()
	var m Message
	for _, c := range messageColumns {
		switch field := c.Field(&m).(type) {
		case *string:
			*field = strings.Repeat("x", 128) // as long as a user id may be
			if c.Erased != "" {
				*field = strings.Repeat("\x01", 4096)
			}
		case *table.OptionalJSON:
			*field = table.OptionalJSON(strings.Repeat("x", MetadataMaxBytes))
		case **ID:
			*field = new(ID)
		case *bool:
			*field = true
		}
	}
	m.Highlights = slices.Repeat([]words.Span{{Start: 4095, End: 4096}}, 2048) // as many as in a text of one letter and spaces
	var b pageBytes
	b.passed([]Message{m}, 1<<30)
	if exactly := m.JSONBytes(); b.atMost < exactly {
		t.Errorf("%d bytes at most, and there are %d", b.atMost, exactly)
	}
}
