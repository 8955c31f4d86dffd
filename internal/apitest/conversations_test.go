package apitest_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
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

func TestEdit(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		sent := s.SendRequest(t, client.SendMessageRequest{
			Sender: "alice", Recipient: "bob", Text: "Lunch at noon?", Metadata: client.Metadata{"client": "web"},
		})
		edited := s.Edit(t, sent.ID, client.EditMessageRequest{Text: new("Lunch at one?")})
		if edited.Text != "Lunch at one?" || edited.Metadata["client"] != "web" || edited.EditedAt == nil || edited.EditedAt.Before(sent.SentAt) {
			t.Errorf("edited text: %+v", edited)
		}
		edited = s.Edit(t, sent.ID, client.EditMessageRequest{Metadata: nullable.NewNullableWithValue(map[string]any{"n": 1})})
		if edited.Text != "Lunch at one?" || len(edited.Metadata) != 1 || edited.Metadata["n"] != 1.0 {
			t.Errorf("edited metadata: %+v", edited)
		}
		edited = s.Edit(t, sent.ID, client.EditMessageRequest{Metadata: nullable.NewNullNullable[map[string]any]()})
		if edited.Text != "Lunch at one?" || edited.Metadata != nil || edited.ID != sent.ID || !edited.SentAt.Equal(sent.SentAt) {
			t.Errorf("removed metadata: %+v", edited)
		}
		if page := s.List(t, client.ListMessagesParams{Recipient: new("bob")}); len(page.Messages) != 1 || page.Messages[0].Text != "Lunch at one?" {
			t.Errorf("listed %+v", page)
		}

		s.Delete(t, sent.ID)
		refused := apitest.Call(s.EditMessageWithResponse(t.Context(), sent.ID, client.EditMessageRequest{Text: new("back again")})).Must(t, http.StatusConflict)
		if !strings.HasSuffix(refused.ApplicationProblemJSON409.Type, ":message-deleted") {
			t.Errorf("edited a deleted message: %s", refused.Body)
		}
		apitest.Call(s.EditMessageWithResponse(t.Context(), uuid.Must(uuid.NewV7()), client.EditMessageRequest{Text: new("x")})).Must(t, http.StatusNotFound)
	})
}

// TestMetadataDigits checks that sends and edits preserve the digits of numbers in metadata.
func TestMetadataDigits(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		const metadata = `{"big":12345678901234567890.123456789,"text":"é"}`
		id := s.Send(t, "alice", "bob", "x").ID.String()
		answer := s.Do(t, http.MethodPatch, "/v1/messages/"+id, strings.NewReader(`{"metadata": `+metadata+`}`), "Content-Type: application/json")
		if !strings.Contains(answer.Body, metadata) {
			t.Errorf("answered %d %s", answer.Status, answer.Body)
		}
	})
}

func TestReply(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		question, strange := s.Send(t, "alice", "bob", "Lunch?"), s.Send(t, "alice", "carol", "Lunch?")
		answer := s.SendRequest(t, client.SendMessageRequest{Sender: "bob", Recipient: "alice", Text: "Yes!", ReplyTo: &question.ID})
		if answer.ReplyTo == nil || *answer.ReplyTo != question.ID {
			t.Errorf("sent a reply: %+v", answer)
		}
		s.Delete(t, question.ID)
		late := client.SendMessageRequest{Sender: "alice", Recipient: "bob", Text: "I deleted it", ReplyTo: &question.ID}
		if again := s.SendRequest(t, late); *again.ReplyTo != question.ID {
			t.Errorf("replied to a deleted message: %+v", again)
		}
		for name, id := range map[string]uuid.UUID{"other users": strange.ID, "nobody": uuid.Must(uuid.NewV7())} {
			refused := apitest.Call(s.SendMessageWithResponse(t.Context(), nil, client.SendMessageRequest{Sender: "bob", Recipient: "alice", Text: "x", ReplyTo: &id})).Must(t, http.StatusUnprocessableEntity)
			problem := refused.ApplicationProblemJSON422
			if len(problem.Errors) != 1 || *problem.Errors[0].Pointer != "/replyTo" {
				t.Errorf("replied to a message of %s: %s", name, refused.Body)
			}
		}
		// A tombstone has no replyTo any more.
		key := client.SendMessageRequest{Sender: "bob", Recipient: "alice", Text: "keyed", ReplyTo: &answer.ID}
		keyed := storeKeyed(t, s, "key", key)
		other := key
		other.ReplyTo = nil
		if refused := sendKeyed(t, s, "key", other); refused.StatusCode() != http.StatusUnprocessableEntity {
			t.Errorf("the same key for another reply: %s", refused.Body)
		}
		s.Delete(t, keyed.JSON201.ID)
		if again := sendKeyed(t, s, "key", key); again.JSON201 == nil || again.JSON201.ReplyTo != nil {
			t.Errorf("a deleted reply: %s", again.Body)
		}
	})
}

func TestConversations(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		// Ids that must be percent-encoded in a path.
		alice, bob := "alice@example.org", "b+o|b:=~1"
		first := s.Send(t, alice, bob, "one")
		second := s.Send(t, alice, bob, "two")
		third := s.Send(t, bob, alice, "three")
		s.Send(t, "carol", bob, "hello")

		page := s.Conversations(t, bob, client.ListConversationsParams{})
		if peers := peersOf(page); !slices.Equal(peers, []string{"carol", alice}) || page.HasMore {
			t.Fatalf("bob talks to %v, has more %v", peers, page.HasMore)
		}
		conversation := page.Conversations[1]
		if conversation.UnreadCount != 2 || conversation.LastMessage.ID != third.ID || conversation.ReadMarker != nil || conversation.PeerReadMarker != nil {
			t.Errorf("bob and alice: %+v", conversation)
		}
		if thread := s.Thread(t, bob, alice, client.ListConversationMessagesParams{}); !slices.Equal(ids(thread.Messages), []uuid.UUID{third.ID, second.ID, first.ID}) {
			t.Errorf("the thread has %+v", thread)
		}

		marker := s.Read(t, bob, alice, second.ID)
		if marker.User != bob || marker.Peer != alice || marker.MessageID != second.ID || marker.ReadAt.Before(third.SentAt) {
			t.Errorf("marker %+v", marker)
		}
		if back := s.Read(t, bob, alice, first.ID); back != marker {
			t.Errorf("the marker moved back to %+v", back)
		}
		if c := s.Conversation(t, bob, alice); c.UnreadCount != 0 || *c.ReadMarker != marker || c.PeerReadMarker != nil {
			t.Errorf("bob has read: %+v", c)
		}
		if c := s.Conversation(t, alice, bob); c.UnreadCount != 1 || c.ReadMarker != nil || *c.PeerReadMarker != marker {
			t.Errorf("alice sees: %+v", c)
		}

		s.Delete(t, third.ID)
		if c := s.Conversation(t, alice, bob); c.UnreadCount != 0 || c.LastMessage.ID != second.ID {
			t.Errorf("without the last message: %+v", c)
		}
		s.Delete(t, second.ID)
		s.Delete(t, first.ID)
		apitest.Call(s.GetConversationWithResponse(t.Context(), alice, bob)).Must(t, http.StatusNotFound)
		if peers := peersOf(s.Conversations(t, bob, client.ListConversationsParams{})); !slices.Equal(peers, []string{"carol"}) {
			t.Errorf("bob talks to %v", peers)
		}
	})
}

// TestNotesToSelf lists messages of a user to themselves: each must be listed once, a page must
// have limit messages, and hasMore must be right.
func TestNotesToSelf(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		var notes []uuid.UUID // newest first
		for range 3 {
			notes = slices.Insert(notes, 0, s.Send(t, "alice", "alice", "a note").ID)
			s.Send(t, "alice", "bob", "no note")
			s.Send(t, "bob", "alice", "no note")
		}
		for limit := int32(1); limit <= 6; limit++ {
			n := min(int(limit), len(notes))
			newest := s.Thread(t, "alice", "alice", client.ListConversationMessagesParams{Limit: &limit})
			oldest := s.Thread(t, "alice", "alice", client.ListConversationMessagesParams{Limit: &limit, After: &uuid.Nil})
			if !slices.Equal(ids(newest.Messages), notes[:n]) || newest.HasMore != (n < len(notes)) {
				t.Errorf("the newest %d of %v: %v, has more %v", limit, notes, ids(newest.Messages), newest.HasMore)
			}
			if !slices.Equal(ids(oldest.Messages), notes[len(notes)-n:]) || oldest.HasMore != (n < len(notes)) {
				t.Errorf("the oldest %d of %v: %v, has more %v", limit, notes, ids(oldest.Messages), oldest.HasMore)
			}
		}
	})
}

func TestReadMarkerOfAnotherConversation(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		s.Send(t, "alice", "bob", "x")
		strange := s.Send(t, "alice", "carol", "x")
		for _, id := range []uuid.UUID{strange.ID, uuid.Must(uuid.NewV7())} {
			refused := apitest.Call(s.SetReadMarkerWithResponse(t.Context(), "bob", "alice", client.SetReadMarkerRequest{MessageID: id})).Must(t, http.StatusUnprocessableEntity)
			problem := refused.ApplicationProblemJSON422
			if len(problem.Errors) != 1 || *problem.Errors[0].Pointer != "/messageId" {
				t.Errorf("%s", refused.Body)
			}
		}
	})
}

// TestUnreadCount counts up to 100 and no further.
func TestUnreadCount(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		var sent []client.Message
		for i := range 130 {
			sent = append(sent, s.Send(t, "alice", "bob", fmt.Sprint(i)))
		}
		for _, want := range []struct{ read, unread int }{{0, 100}, {28, 100}, {29, 100}, {30, 99}, {129, 0}} {
			s.Read(t, "bob", "alice", sent[want.read].ID)
			if c := s.Conversation(t, "bob", "alice"); int(c.UnreadCount) != want.unread {
				t.Errorf("read up to %d: %d unread, want %d", want.read, c.UnreadCount, want.unread)
			}
		}
	})
}

// TestConversationPages walks lists page by page, by the Link header too.
func TestConversationPages(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		clock := time.Now().AddDate(0, 0, -60)
		past := messaging.New(s.DB, messaging.Options{Now: func() time.Time { return clock }})
		defer closeService(t, past)
		var all []uuid.UUID // newest first
		for i := range 40 {
			clock = clock.AddDate(0, 0, 1)
			draft := messaging.Draft{Sender: "alice", Recipient: "bob", Text: fmt.Sprint(i)}
			if i%3 == 0 {
				draft.Sender, draft.Recipient = draft.Recipient, draft.Sender
			}
			m, _, err := past.Send(t.Context(), messaging.AsService, draft)
			if err != nil {
				t.Fatal(err)
			}
			all = slices.Insert(all, 0, uuid.UUID(m.ID))
		}
		limit := int32(7)
		for user, peer := range map[string]string{"alice": "bob", "bob": "alice"} {
			var walked []uuid.UUID
			params := client.ListConversationMessagesParams{Limit: &limit}
			for page := s.Thread(t, user, peer, params); ; page = s.Thread(t, user, peer, params) {
				walked = append(walked, ids(page.Messages)...)
				if !page.HasMore {
					break
				}
				params.Before = &walked[len(walked)-1]
			}
			if !slices.Equal(walked, all) {
				t.Errorf("%s walked %d messages back, want all 40", user, len(walked))
			}
			walked = nil
			for params = (client.ListConversationMessagesParams{Limit: &limit, After: &all[39]}); ; params.After = &walked[0] {
				page := s.Thread(t, user, peer, params)
				walked = append(ids(page.Messages), walked...)
				if !page.HasMore {
					break
				}
			}
			if !slices.Equal(walked, all[:39]) {
				t.Errorf("%s walked %d messages forward, want 39", user, len(walked))
			}
		}
		links := followLinks(t, s, "/v1/users/alice/conversations/bob/messages?limit=9&since=2020-01-01T00:00:00Z")
		if links != 5 {
			t.Errorf("the links lead to %d pages of messages, want 5", links)
		}

		for i := range 12 {
			s.Send(t, "hub", fmt.Sprintf("peer-%02d", i), "x")
			s.Block(t, "hub", fmt.Sprintf("peer-%02d", i))
		}
		if links := followLinks(t, s, "/v1/users/hub/conversations?limit=5"); links != 3 {
			t.Errorf("the links lead to %d pages of conversations, want 3", links)
		}
		if links := followLinks(t, s, "/v1/users/hub/blocks?limit=4"); links != 3 {
			t.Errorf("the links lead to %d pages of blocks, want 3", links)
		}
		newest := s.Conversations(t, "hub", client.ListConversationsParams{Limit: &limit})
		last := newest.Conversations[6].LastMessage.ID
		if newest.Next == nil || *newest.Next != last || newest.Conversations[6].Position != last {
			t.Errorf("a page that ends with %s goes on after %v", last, newest.Next)
		}
		rest := s.Conversations(t, "hub", client.ListConversationsParams{Before: &last})
		if got := append(peersOf(newest), peersOf(rest)...); len(got) != 12 || got[0] != "peer-11" || got[11] != "peer-00" || !newest.HasMore || rest.HasMore {
			t.Errorf("hub talks to %v", got)
		}
		for _, peer := range peersOf(newest) {
			apitest.Call(s.UpdateConversationWithResponse(t.Context(), "hub", peer, client.UpdateConversationRequest{Hidden: new(true)})).Must(t, http.StatusOK)
		}
		if links := followLinks(t, s, "/v1/users/hub/conversations?limit=1&hidden=true"); links != 7 {
			t.Errorf("the links lead to %d pages of hidden conversations, want 7", links)
		}
		for hidden, want := range map[bool]client.ConversationPage{true: newest, false: rest} {
			if got := peersOf(s.Conversations(t, "hub", client.ListConversationsParams{Hidden: &hidden})); !slices.Equal(got, peersOf(want)) {
				t.Errorf("hidden %t: %v, want %v", hidden, got, peersOf(want))
			}
		}
	})
}
