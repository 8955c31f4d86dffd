package apitest_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/oapi-codegen/nullable"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/messaging"
)

// TestMuteWithoutMessages deletes the last message of conversations that bob has muted. As long as one is muted it can be
// read and unmuted, though it is in no list. Once it is not, nothing of it is left.
func TestMuteWithoutMessages(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		past, later := time.Now().Add(-time.Hour).Truncate(time.Millisecond), time.Now().Add(time.Hour).Truncate(time.Millisecond)
		mute := func(status int, until nullable.Nullable[time.Time]) *client.Conversation {
			t.Helper()
			request := client.UpdateConversationRequest{MutedUntil: until}
			return apitest.Call(s.UpdateConversationWithResponse(t.Context(), "bob", "alice", request)).Must(t, status).JSON200
		}
		for name, test := range map[string]struct {
			muted, then nullable.Nullable[time.Time]
			gone        bool // with the message
		}{
			"it is over":     {muted: nullable.NewNullableWithValue(past), then: nullable.NewNullNullable[time.Time](), gone: true},
			"it is lifted":   {muted: nullable.NewNullableWithValue(later), then: nullable.NewNullNullable[time.Time]()},
			"it is made end": {muted: nullable.NewNullableWithValue(later), then: nullable.NewNullableWithValue(past)},
		} {
			only := s.Send(t, "alice", "bob", "hello")
			mute(http.StatusOK, test.muted)
			s.Delete(t, only.ID)
			if !test.gone {
				c := s.Conversation(t, "bob", "alice")
				if !c.Hidden || c.LastMessage != nil || c.Position != uuid.Nil || c.MutedUntil == nil || !c.MutedUntil.Equal(later) {
					t.Errorf("%s: before, it is %+v", name, c)
				}
				for _, hidden := range []bool{false, true} {
					if page := s.Conversations(t, "bob", client.ListConversationsParams{Hidden: &hidden}); len(page.Conversations) > 0 {
						t.Errorf("%s: before, hidden %t: %+v", name, hidden, page)
					}
				}
				if c := mute(http.StatusOK, test.then); c.MutedUntil != nil || c.LastMessage != nil {
					t.Errorf("%s: it is %+v", name, c)
				}
			}
			apitest.Call(s.GetConversationWithResponse(t.Context(), "bob", "alice")).Must(t, http.StatusNotFound)
			mute(http.StatusNotFound, test.then)
			next := s.Send(t, "alice", "bob", "hello again")
			if c := s.Conversation(t, "bob", "alice"); c.MutedUntil != nil || c.Hidden {
				t.Errorf("%s: after the next message it is %+v", name, c)
			}
			s.Delete(t, next.ID)
		}
	})
}
