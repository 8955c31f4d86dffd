package apitest_test

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/oapi-codegen/nullable"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/messaging"
)

func TestBlocks(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		before := client.SendMessageRequest{Sender: "mallory", Recipient: "bob", Text: "buy!"}
		sent := storeKeyed(t, s, "key", before)
		for range 2 { // it is idempotent
			s.Block(t, "bob", "mallory")
		}
		s.Block(t, "bob", "eve")
		page := s.Blocks(t, "bob", client.ListBlocksParams{})
		if len(page.Blocks) != 2 || page.Blocks[0].Peer != "eve" || page.Blocks[1].Peer != "mallory" || page.Blocks[1].User != "bob" ||
			page.Blocks[1].BlockedAt.Before(sent.JSON201.SentAt) {
			t.Errorf("blocks %+v", page)
		}
		refused := apitest.Call(s.SendMessageWithResponse(t.Context(), nil, before)).Must(t, http.StatusForbidden)
		if !strings.HasSuffix(refused.ApplicationProblemJSON403.Type, ":sender-blocked") {
			t.Errorf("sent although the recipient has blocked the sender: %s", refused.Body)
		}
		if again := sendKeyed(t, s, "key", before); again.JSON201 == nil || again.JSON201.ID != sent.JSON201.ID {
			t.Errorf("repeated what was sent before: %s", again.Body)
		}
		if fresh := sendKeyed(t, s, "another key", before); fresh.ApplicationProblemJSON403 == nil {
			t.Errorf("sent with a new key: %s", fresh.Body)
		}
		s.Send(t, "bob", "mallory", "stop it")
		for name, edit := range map[string]client.EditMessageRequest{
			"text":     {Text: new("sorry")},
			"metadata": {Metadata: nullable.NewNullableWithValue(map[string]any{"link": "buy"})},
			"removal":  {Metadata: nullable.NewNullNullable[map[string]any]()},
		} {
			answer := apitest.Call(s.EditMessageWithResponse(t.Context(), sent.JSON201.ID, edit)).Must(t, http.StatusForbidden)
			if !strings.HasSuffix(answer.ApplicationProblemJSON403.Type, ":sender-blocked") {
				t.Errorf("edited the %s of a message although the recipient has blocked the sender: %s", name, answer.Body)
			}
		}
		told := apitest.Call(s.SetReadMarkerWithResponse(t.Context(), "mallory", "bob", client.SetReadMarkerRequest{MessageID: sent.JSON201.ID})).Must(t, http.StatusForbidden)
		if !strings.HasSuffix(told.ApplicationProblemJSON403.Type, ":sender-blocked") {
			t.Errorf("moved a read marker although the peer, who would see it, has blocked the reader: %s", told.Body)
		}
		gone := storeKeyed(t, s, "third key", client.SendMessageRequest{Sender: "bob", Recipient: "mallory", Text: "go"})
		s.Edit(t, gone.JSON201.ID, client.EditMessageRequest{Text: new("go away")}) // a block works in one direction only
		s.Delete(t, gone.JSON201.ID)
		deletable := storeKeyed(t, s, "fourth key", client.SendMessageRequest{Sender: "mallory", Recipient: "carol", Text: "hi"})
		s.Block(t, "carol", "mallory")
		s.Delete(t, deletable.JSON201.ID)
		if thread := s.Thread(t, "bob", "mallory", client.ListConversationMessagesParams{}); len(thread.Messages) != 2 {
			t.Errorf("the history has %d messages, want 2", len(thread.Messages))
		}
		for range 2 {
			s.Unblock(t, "bob", "mallory")
		}
		s.Send(t, "mallory", "bob", "thank you")

		self := apitest.Call(s.BlockUserWithResponse(t.Context(), "bob", "bob")).Must(t, http.StatusUnprocessableEntity)
		if *self.ApplicationProblemJSON422.Errors[0].Parameter != "peerId" {
			t.Errorf("blocked himself: %s", self.Body)
		}
	})
}

// TestBlockIsNotOvertaken has senders on several replicas flood a user who blocks them
// meanwhile: no message may be stored after its block was acknowledged.
func TestBlockIsNotOvertaken(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		replicas := startReplicas(t, engine, 0, 0)
		s := replicas[0]
		senders := []string{"mallory", "eve", "trudy"}
		var flooding sync.WaitGroup
		started := make(chan struct{}, 1000)
		for i := range 12 {
			flooding.Go(func() {
				for {
					params := &client.SendMessageParams{}
					if i%4 < 2 || engine == db.SQLite { // see RetryUnavailable
						params.IdempotencyKey = new(uuid.NewString())
					}
					request := client.SendMessageRequest{Sender: senders[i%3], Recipient: "bob", Text: "x"}
					answer := apitest.Call(replicas[i%2].SendMessageWithResponse(t.Context(), params, request)).Must(t, http.StatusCreated, http.StatusForbidden)
					if answer.ApplicationProblemJSON403 != nil {
						return
					}
					select {
					case started <- struct{}{}:
					default:
					}
				}
			})
		}
		for range 50 {
			<-started
		}
		list := func(sender string) []client.Message {
			return s.List(t, client.ListMessagesParams{Recipient: new("bob"), Sender: &sender}).Messages
		}
		atBlock := map[string][]client.Message{}
		for i, sender := range senders {
			replicas[i%2].Block(t, "bob", sender)
			atBlock[sender] = list(sender)
		}
		flooding.Wait()
		for _, sender := range senders {
			if before, after := ids(atBlock[sender]), ids(list(sender)); !slices.Equal(before, after) {
				t.Errorf("%s: a message came after the block", sender)
			}
		}
	})
}
