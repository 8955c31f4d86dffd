package contract

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/oapi-codegen/nullable"
	"pgregory.net/rapid"

	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/messaging"
	"github.com/message-service/message-service/internal/roster"
	"github.com/message-service/message-service/internal/words"
)

// TestMessage writes random messages and reads them again: nothing is lost, every member of the
// contract is written for some of them, and JSONBytes is the length of what is written.
func TestMessage(t *testing.T) {
	t.Parallel()
	metadata := rapid.SampledFrom([]string{"", `{}`, `{"a":["<",null,1e400],"b":{"c":"` + "\u2028" + `é"}}`})
	missing := Document().Components.Schemas["Message"].Value.Properties
	rapid.Check(t, func(t *rapid.T) {
		m := rapid.Make[messaging.Message]().Draw(t, "message")
		m.Metadata, m.Deleted = metadata.Draw(t, "metadata"), m.Deleted && m.Changed != nil
		for i, span := range m.Highlights {
			m.Highlights[i] = words.Span{Start: span.Start & 0xfff, End: span.End & 0xfff} // within a text
		}
		text := AppendMessage([]byte("x"), &m)[1:]
		var read server.Message
		decode(t, text, &read)
		again, err := ToMessage(&read, (*server.MessageID)(m.Changed))
		again.Highlights = spans(read.Highlights) // an export has none
		if err != nil || !reflect.DeepEqual(again, m) {
			t.Errorf("%s is read as %+v, want %+v (%v)", text, again, m, err)
		}
		var members map[string]json.RawMessage
		decode(t, text, &members)
		missing = without(missing, members)
		m.ID, m.Sender, m.Recipient = messaging.ID{1}, "alice", "bob" // years have four digits, and user ids no escapes
		if m.Changed != nil {
			m.Changed = &m.ID
		}
		if want := len(AppendMessage(nil, &m)); m.JSONBytes() != want && utf8.ValidString(m.Text) {
			t.Errorf("counted %d bytes, not %d, of %q", m.JSONBytes(), want, m.Text)
		}
	})
	for member := range missing {
		t.Errorf("%s is never written", member)
	}
}

// spans is the reverse of what AppendMessage makes of highlights.
func spans(highlights []server.Highlight) (spans []words.Span) {
	if highlights != nil {
		spans = make([]words.Span, len(highlights))
	}
	for i, h := range highlights {
		spans[i] = words.Span{Start: int(h.Start), End: int(h.End)}
	}
	return spans
}

// decode decodes a text into a type of the contract, and refuses unknown members.
func decode(t rapid.TB, text []byte, into any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(into); err != nil || decoder.More() {
		t.Fatalf("%v in %s", err, text)
	}
}

// TestEveryMember checks that each member of a schema is written for a value that has all members.
func TestEveryMember(t *testing.T) {
	t.Parallel()
	id := func(n byte) messaging.ID { return messaging.ID{n, 0, 0, 0, 0, 0, 0x70, 0, 0x80} }
	edited := messaging.Message{ID: id(1), Sender: "alice", Recipient: "bob", Text: "<\x01>", Metadata: `{"a":1}`, ReplyTo: new(id(2)), Changed: new(id(3))}
	found := messaging.Message{ID: id(1), Sender: "alice", Recipient: "bob", Text: "a bc", Highlights: []words.Span{{Start: 0, End: 1}, {Start: 2, End: 4}}}
	deleted := messaging.Message{ID: id(1), Sender: "alice", Recipient: "bob", Changed: new(id(3)), Deleted: true}
	marker := messaging.ReadMarker{Owner: "bob", Peer: "alice", MessageID: id(1), Changed: id(4)}
	block := messaging.Block{Owner: "bob", Peer: "alice", Changed: id(5)}
	conversation := messaging.Conversation{Peer: "alice", LastMessage: edited, Unread: 7, Marker: marker, PeerMarker: marker, Hidden: true}
	inGroup := messaging.Conversation{
		Peer: "~team-1", Group: messaging.ConversationGroup{Name: "Team <1>", MemberCount: 2}, MutedUntil: new(id(5).Time()),
	}
	group := roster.Group{Address: "~team-1", Name: "Team <1>", Metadata: `{"a":1}`, History: roster.All, MemberCount: 2, Created: id(1), Changed: id(2)}
	gone := roster.Group{Address: "~team-1", History: roster.None, Created: id(1), Changed: id(3), Deleted: true}
	membership := roster.Membership{Group: "~team-1", User: "bob", Role: roster.Admin, State: roster.Active, Since: id(1)}
	changes := []messaging.Change{
		{Cursor: id(5), Message: &edited}, {Cursor: id(4), ReadMarker: &marker}, {Cursor: id(2), Group: &group}, {Cursor: id(2), Membership: &membership},
	}
	for schema, texts := range map[string][][]byte{
		"MessagePage":      {AppendMessagePage(nil, messaging.Page{Messages: []messaging.Message{edited, found, deleted}, HasMore: true, Next: id(1)}), AppendMessagePage(nil, messaging.Page{})},
		"ReadMarker":       {AppendReadMarker(nil, &marker)},
		"Conversation":     {AppendConversation(nil, &conversation), AppendConversation(nil, &inGroup)},
		"ConversationPage": {AppendConversationPage(nil, messaging.ConversationPage{Conversations: []messaging.Conversation{conversation, inGroup}, HasMore: true, Next: id(1)}), AppendConversationPage(nil, messaging.ConversationPage{})},
		"Change":           {AppendChange(nil, &changes[0]), AppendChange(nil, &changes[1]), AppendChange(nil, &changes[2]), AppendChange(nil, &changes[3])},
		"Group":            {AppendGroup(nil, &group), AppendGroup(nil, &gone)},
		"Membership":       {AppendMembership(nil, &membership)},
		"MembershipPage":   {AppendMembershipPage(nil, messaging.MemberPage{Members: []roster.Membership{membership}, HasMore: true, Next: "bob"}), AppendMembershipPage(nil, messaging.MemberPage{})},
		"ChangePage":       {AppendChangePage(nil, messaging.ChangePage{Changes: changes, Next: id(5)}), AppendChangePage(nil, messaging.ChangePage{})},
		"Block":            {AppendBlock(nil, &block)},
		"BlockPage":        {AppendBlockPage(nil, messaging.BlockPage{Blocks: []messaging.Block{block}, HasMore: true, Next: "alice"}), AppendBlockPage(nil, messaging.BlockPage{})},
	} {
		described := Document().Components.Schemas[schema].Value
		missing := described.Properties
		for _, text := range texts {
			var value map[string]any
			decode(t, text, &value)
			if err := described.VisitJSON(value); err != nil {
				t.Errorf("%s breaks the contract: %v", text, err)
			}
			for member := range value {
				if described.Properties[member] == nil {
					t.Errorf("%s has %s, which is no member of %s", text, member, schema)
				}
			}
			missing = without(missing, value)
		}
		for member := range missing {
			t.Errorf("%s of %s is not written", member, schema)
		}
	}
}

func without[V, W any](members map[string]V, some map[string]W) map[string]V {
	rest := map[string]V{}
	for name, member := range members {
		if _, ok := some[name]; !ok {
			rest[name] = member
		}
	}
	return rest
}

// TestEdit checks what an edit leaves as it is, and what it removes.
func TestEdit(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		body server.EditMessageRequest
		want messaging.Edit
	}{
		"a text":         {server.EditMessageRequest{Text: new("x")}, messaging.Edit{Text: new("x")}},
		"metadata":       {server.EditMessageRequest{Metadata: nullable.NewNullableWithValue(json.RawMessage(`{ "a" : "\u0041" }`))}, messaging.Edit{Metadata: new(`{"a":"A"}`)}},
		"no metadata":    {server.EditMessageRequest{Metadata: nullable.NewNullNullable[json.RawMessage]()}, messaging.Edit{Metadata: new("")}},
		"empty metadata": {server.EditMessageRequest{Metadata: nullable.NewNullableWithValue(json.RawMessage(`{}`))}, messaging.Edit{Metadata: new(`{}`)}},
	} {
		if got, err := Edit(&test.body); err != nil || !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: %+v (%v)", name, got, err)
		}
	}
}

// TestTooDeep accepts metadata of the most levels, and refuses one more.
func TestTooDeep(t *testing.T) {
	t.Parallel()
	nested := func(levels int) *server.Message {
		return &server.Message{Metadata: slices.Concat(bytes.Repeat([]byte(`{"a":`), levels), []byte("1"), bytes.Repeat([]byte("}"), levels))}
	}
	if _, err := ToMessage(nested(messaging.MetadataMaxDepth), nil); err != nil {
		t.Error(err)
	}
	if _, err := ToMessage(nested(messaging.MetadataMaxDepth+1), nil); err == nil {
		t.Error("metadata of one level too many is read")
	}
}
