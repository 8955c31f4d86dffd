package apitest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/messaging"
)

// TestSearchBehindMetadata searches in messages that are more than a page of JSON, but too few, and their
// texts too short, to be indexed.
func TestSearchBehindMetadata(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		first := s.Send(t, "alice", "bob", "needle")
		metadata := fmt.Sprintf(`{"x":%q}`, strings.Repeat("x", 4000))
		for range 200 {
			draft := messaging.Draft{Sender: "alice", Recipient: "bob", Text: "hay", Metadata: metadata}
			if _, _, err := s.Service.Send(t.Context(), messaging.AsService, draft); err != nil {
				t.Fatal(err)
			}
		}
		last := s.Send(t, "alice", "bob", "needle")
		want := []uuid.UUID{last.ID, first.ID}
		if got := ids(s.List(t, client.ListMessagesParams{Recipient: new("bob"), Q: new("needle")}).Messages); !slices.Equal(got, want) {
			t.Errorf("found %v, want %v", got, want)
		}
		upward := client.ListConversationMessagesParams{Q: new("needle"), After: &uuid.Nil}
		if got := ids(s.Thread(t, "bob", "alice", upward).Messages); !slices.Equal(got, want) {
			t.Errorf("upward: found %v, want %v", got, want)
		}
	})
}
