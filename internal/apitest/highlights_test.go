package apitest_test

import (
	"slices"
	"testing"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/messaging"
)

// TestHighlights checks where the words are said to be: in code points, of the text as it was sent.
func TestHighlights(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		for _, c := range []struct{ text, q, want string }{
			{"🎉 Lunch at noon? LUNCH!", "noon lunch", "🎉 [Lunch] at [noon]? [LUNCH]!"},
			{"Lunch at noon?", "lun", "[Lunch] at noon?"}, // the whole word
			{"👩‍👩‍👧 cafe\u0301 au lait", "café", "👩‍👩‍👧 [cafe\u0301] au lait"},
			{"Große Straße", "STRASSE", "Große [Straße]"},
			{"ask user@example.org, or", "example.org", "ask user@[example.org], or"},
			{"定期检修还有可能是", "可能", "定期检修还有[可能]是"},
			{"हिन्दी का मेल", "मेल", "हिन्दी का [मेल]"},
		} {
			m := s.Send(t, "alice", "bob", c.text)
			for name, found := range map[string]client.MessagePage{
				"received": s.List(t, client.ListMessagesParams{Recipient: new("bob"), Q: &c.q, Highlight: new(true)}),
				"thread":   s.Thread(t, "alice", "bob", client.ListConversationMessagesParams{Q: &c.q, Highlight: new(true)}),
			} {
				if len(found.Messages) != 1 || found.Messages[0].ID != m.ID || bracketed(found.Messages[0]) != c.want {
					t.Errorf("%s, %q: found %+v, want %s", name, c.q, found.Messages, c.want)
				}
			}
			for _, plain := range s.List(t, client.ListMessagesParams{Recipient: new("bob"), Q: &c.q}).Messages {
				if plain.Highlights != nil {
					t.Errorf("%q: highlights were not asked for: %+v", c.q, plain)
				}
			}
			s.Delete(t, m.ID)
		}
	})
}

// bracketed puts the highlights of a message into brackets.
func bracketed(m client.Message) string {
	text := []rune(m.Text)
	for _, h := range slices.Backward(m.Highlights) {
		text = slices.Insert(slices.Insert(text, int(h.End), ']'), int(h.Start), '[')
	}
	return string(text)
}
