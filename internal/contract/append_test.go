package contract

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/messaging"
)

// TestTimestamp compares what timestamp writes with what package time makes of the layout.
func TestTimestamp(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		at := time.UnixMilli(rapid.Int64Range(0, 1<<48-1).Draw(t, "ms"))
		if got, want := timestamp(at), at.UTC().Format("2006-01-02T15:04:05.000Z"); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	})
}

// TestAppendText puts each byte at each place of a text, and compares with jsontext.
func TestAppendText(t *testing.T) {
	t.Parallel()
	for place := range 20 {
		for c := range 256 {
			text := []byte("abcdefghijklmnopqrst")
			text[place] = byte(c)
			want, _ := jsontext.AppendQuote(nil, text)
			if got := appendText(nil, string(text)); !bytes.Equal(got, want) {
				t.Errorf("%q is written as %s, want %s", text, got, want)
			}
		}
	}
}

// TestAppendMessage compares what AppendMessage writes with what encoding/json makes of the
// message of the contract.
func TestAppendMessage(t *testing.T) {
	t.Parallel()
	id := rapid.Custom(func(t *rapid.T) messaging.ID {
		return messaging.ID(rapid.SliceOfN(rapid.Byte(), len(uuid.Nil), len(uuid.Nil)).Draw(t, "id"))
	})
	metadata := rapid.SampledFrom([]string{"", `{}`, `{"a":["<",null,1e400],"b":{"c":"\u2028é"}}`})
	rapid.Check(t, func(t *rapid.T) {
		m := messaging.Message{
			ID: id.Draw(t, "id"), Sender: rapid.String().Draw(t, "sender"), Recipient: rapid.String().Draw(t, "recipient"),
			Text: rapid.String().Draw(t, "text"), Metadata: metadata.Draw(t, "metadata"),
			ReplyTo: rapid.Ptr(id, true).Draw(t, "replyTo"), Changed: rapid.Ptr(id, true).Draw(t, "changed"), Deleted: rapid.Bool().Draw(t, "deleted"),
		}
		encoded, err := json.Marshal(Message(m))
		if err != nil {
			t.Fatal(err)
		}
		decode := func(text []byte) (value map[string]any) {
			decoder := json.NewDecoder(bytes.NewReader(text))
			decoder.UseNumber()
			if err := decoder.Decode(&value); err != nil {
				t.Fatalf("%v in %s", err, text)
			}
			return value
		}
		appended := AppendMessage([]byte("x"), &m)[1:]
		if !reflect.DeepEqual(decode(appended), decode(encoded)) {
			t.Errorf("%s, want %s", appended, encoded)
		}
		if !json.Valid(appended) {
			t.Errorf("%s is no JSON", appended)
		}
		m.ID, m.Sender, m.Recipient = messaging.ID{1}, "alice", "bob" // years have four digits, and user ids no escapes
		if m.Changed != nil {
			m.Changed = &m.ID
		}
		if want := len(AppendMessage(nil, &m)); m.JSONBytes() != want && utf8.ValidString(m.Text) {
			t.Errorf("counted %d bytes, not %d, of %q", m.JSONBytes(), want, m.Text)
		}
	})
}

// TestAppend decodes what the other Append functions write into the types of the contract, by
// all their members.
func TestAppend(t *testing.T) {
	t.Parallel()
	id := func(n byte) messaging.ID { return messaging.ID{n, 0, 0, 0, 0, 0, 0x70, 0, 0x80} }
	m := messaging.Message{ID: id(1), Sender: "alice", Recipient: "bob", Text: "<\x01>", Metadata: `{"a":1}`, ReplyTo: new(id(2)), Changed: new(id(3))}
	marker := messaging.ReadMarker{Owner: "bob", Peer: "alice", MessageID: id(1), Changed: id(4)}
	for want, appended := range map[any][]byte{
		&server.Change{Cursor: uuid.UUID(id(5)), Type: server.ChangeTypeMessage, Message: new(Message(m))}:         AppendChange(nil, &messaging.Change{Cursor: id(5), Message: &m}),
		&server.Change{Cursor: uuid.UUID(id(4)), Type: server.ChangeTypeRead, ReadMarker: new(ReadMarker(marker))}: AppendChange(nil, &messaging.Change{Cursor: id(4), ReadMarker: &marker}),
		new(Conversation(messaging.Conversation{Peer: "alice", LastMessage: m, Unread: 7})):                        AppendConversation(nil, &messaging.Conversation{Peer: "alice", LastMessage: m, Unread: 7}),
		new(Conversation(messaging.Conversation{Peer: "alice", LastMessage: m, Marker: marker, PeerMarker: marker})): AppendConversation(nil,
			&messaging.Conversation{Peer: "alice", LastMessage: m, Marker: marker, PeerMarker: marker}),
	} {
		decoder := json.NewDecoder(bytes.NewReader(appended))
		decoder.DisallowUnknownFields()
		got := reflect.New(reflect.TypeOf(want).Elem()).Interface()
		if err := decoder.Decode(got); err != nil {
			t.Errorf("%v in %s", err, appended)
			continue
		}
		a, errA := json.Marshal(got)
		b, errB := json.Marshal(want)
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("%s, want %s", appended, b)
		}
	}
}
