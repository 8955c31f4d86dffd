//go:build functional

package apitest_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
)

// TestRunningServer walks through the API of the server at BASE_URL, with users that no other
// client has. TOKEN is a key or token, if the server requires one.
func TestRunningServer(t *testing.T) {
	c := apitest.NewClient(t, strings.TrimSuffix(os.Getenv("BASE_URL"), "/")).With(os.Getenv("TOKEN"))
	run := time.Now().UnixNano()
	alice, bob := fmt.Sprintf("alice-%d", run), fmt.Sprintf("bob-%d", run)

	health, err := c.GetHealthWithResponse(t.Context())
	if err != nil || string(health.Body) != "UP\n" {
		t.Fatalf("there is no healthy server at %s (BASE_URL): %v", c.URL, err)
	}
	apitest.Call(c.GetReadinessWithResponse(t.Context())).Must(t, http.StatusOK)

	key := uuid.NewString()
	request := client.SendMessageRequest{Sender: alice, Recipient: bob, Text: "Lunch at noon?"}
	first := apitest.Call(c.SendMessageWithResponse(t.Context(), &client.SendMessageParams{IdempotencyKey: &key}, request)).Must(t, http.StatusCreated)
	again := apitest.Call(c.SendMessageWithResponse(t.Context(), &client.SendMessageParams{IdempotencyKey: &key}, request)).Must(t, http.StatusCreated)
	if string(again.Body) != string(first.Body) {
		t.Errorf("send again: %s", again.Body)
	}
	second := c.Send(t, alice, bob, "Or one?")

	page := c.List(t, client.ListMessagesParams{Recipient: &bob})
	if len(page.Messages) != 2 || page.Messages[0].ID != second.ID || page.Messages[1].ID != first.JSON201.ID {
		t.Errorf("listed %+v", page)
	}
	page = c.List(t, client.ListMessagesParams{Recipient: &bob, Before: &second.ID, Limit: new(int32(1))})
	if len(page.Messages) != 1 || page.Messages[0].ID != first.JSON201.ID || page.HasMore {
		t.Errorf("listed before the second: %+v", page)
	}

	for _, id := range []uuid.UUID{first.JSON201.ID, second.ID} {
		apitest.Call(c.DeleteMessageWithResponse(t.Context(), id)).Must(t, http.StatusNoContent)
		apitest.Call(c.GetMessageWithResponse(t.Context(), id)).Must(t, http.StatusNotFound)
	}
	bad := c.Do(t, http.MethodPost, "/v1/messages", strings.NewReader(`{}`), "Content-Type: application/json")
	if bad.Status != http.StatusUnprocessableEntity {
		t.Errorf("an empty message: %d %s", bad.Status, bad.Body)
	}
}
