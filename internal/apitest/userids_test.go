package apitest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/messaging"
)

// TestUserIDs uses ids as other systems have them, with the characters that URLs, SQL and JSON treat
// specially, in every place where an id may stand.
func TestUserIDs(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		for _, user := range []string{
			"+14155550100", "_svc", "@alice:example.org", "o'brien@example.org", "'", "''--", "-a", "=a=", "|a|b", ":a:b", "a..", "a~",
			"auth0|5f7c8ec7c33c6c004bbafe82", "user+tag@example.org",
		} {
			stream, err := s.Follow(t.Context(), t, user, nil)
			if err != nil {
				t.Fatal(err)
			}
			received, sent := s.Send(t, "peer", user, "to "+user), s.Send(t, user, "peer", "from "+user)
			if m := s.List(t, client.ListMessagesParams{Recipient: &user}).Messages; len(m) != 1 || m[0].ID != received.ID || m[0].Recipient != user {
				t.Errorf("%s: received %+v", user, m)
			}
			if m := s.List(t, client.ListMessagesParams{Sender: &user}).Messages; len(m) != 1 || m[0].ID != sent.ID || m[0].Sender != user {
				t.Errorf("%s: sent %+v", user, m)
			}
			if marker := s.Read(t, user, "peer", received.ID); marker.User != user {
				t.Errorf("%s: read as %+v", user, marker)
			}
			for _, want := range []uuid.UUID{received.ID, sent.ID} {
				if change, err := stream.Next(); err != nil || change.Message == nil || change.Message.ID != want {
					t.Errorf("%s: %v, followed %+v, want the message %s", user, err, change, want)
				}
			}
			stream.Close()
			if page := s.Thread(t, "peer", user, client.ListConversationMessagesParams{}); len(page.Messages) != 2 {
				t.Errorf("%s: a thread of %+v", user, page)
			}
			s.Block(t, user, "peer")
			s.Block(t, "peer", user)
			if page := s.Blocks(t, "peer", client.ListBlocksParams{}); len(page.Blocks) != 1 || page.Blocks[0].Peer != user {
				t.Errorf("%s: blocked %+v", user, page)
			}
			s.Unblock(t, "peer", user)
			if records := s.Export(t, user); len(records) != 4 {
				t.Errorf("%s: exported %+v", user, records)
			}
			s.Erase(t, user)
			if records := s.Export(t, user); len(records) != 0 {
				t.Errorf("%s: %+v is left", user, records)
			}
		}
	})
}

// TestLostPlus has a user whose id begins with a plus sign, as phone numbers do, ask for their messages in a URL that is not
// encoded: the refusal must say why it is another user there, and only then.
func TestLostPlus(t *testing.T) {
	t.Parallel()
	phone := apitest.StartAuthenticated(t, dbtest.NewURL(t, db.SQLite)).As(t, "+14155550100")
	const says = "write + as %2B"
	for query, want := range map[string]struct {
		status int
		lost   bool
	}{
		"recipient=%2B14155550100":                      {200, false},
		"recipient=+14155550100":                        {403, true},
		"sender=+14155550100":                           {403, true},
		"recipient=+14155550101":                        {403, false},
		"recipient=+14155550101&sender=%2B14155550100":  {422, true},
		"recipient=~+14155550101":                       {422, true},
		"recipient=~team+1&sender=%2B14155550100":       {422, true},
		"recipient=~+team+%C3%A9&sender=%2B14155550100": {422, false},
	} {
		answer := phone.Do(t, http.MethodGet, "/v1/messages?"+query, nil)
		if answer.Status != want.status || strings.Contains(answer.Body, says) != want.lost {
			t.Errorf("%s: answered %d %s, want %+v of saying %q", query, answer.Status, answer.Body, want, says)
		}
	}
}
