package apitest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/oapi-codegen/nullable"

	"github.com/message-service/message-service/api/messageservice"
	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/messaging"
)

func TestExport(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		received := s.SendRequest(t, client.SendMessageRequest{Sender: "bob", Recipient: "alice", Text: "<é> \u2028", Metadata: client.Metadata{"a": "<"}})
		sent := s.SendRequest(t, client.SendMessageRequest{Sender: "alice", Recipient: "bob", Text: "yes", ReplyTo: &received.ID})
		note := s.Send(t, "alice", "alice", "a note to myself")
		s.Delete(t, s.Send(t, "alice", "carol", "gone").ID)
		s.Send(t, "bob", "carol", "not hers")
		edited := s.Edit(t, sent.ID, client.EditMessageRequest{Text: new("no")})
		marker := s.Read(t, "alice", "bob", received.ID)
		s.Read(t, "bob", "alice", sent.ID)
		s.Block(t, "alice", "mallory")
		s.Block(t, "bob", "alice")
		s.NewGroup(t, "~team", "alice", "bob")
		s.Send(t, "bob", "~team", "hello")
		until := time.Date(2099, 1, 2, 3, 4, 5, 6_000_000, time.UTC)
		for _, c := range []struct{ user, peer string }{{"alice", "bob"}, {"alice", "~team"}, {"bob", "alice"}} {
			request := client.UpdateConversationRequest{MutedUntil: nullable.NewNullableWithValue(until), Hidden: new(true)}
			apitest.Call(s.UpdateConversationWithResponse(t.Context(), c.user, c.peer, request)).Must(t, http.StatusOK)
		}

		records := s.Export(t, "alice")
		var messages []client.Message
		for _, r := range records {
			if r.Message != nil {
				messages = append(messages, *r.Message)
			}
		}
		if !slices.Equal(ids(messages), []uuid.UUID{received.ID, sent.ID, note.ID}) || messages[0].Text != received.Text ||
			messages[1].Text != "no" || !messages[1].EditedAt.Equal(*edited.EditedAt) || *messages[1].ReplyTo != received.ID {
			t.Errorf("exported the messages %+v", messages)
		}
		if len(records) != 7 || *records[3].ReadMarker != marker || records[4].Block.Peer != "mallory" ||
			records[5].Membership.Group != "~team" || records[6].Conversation.Peer != "bob" {
			t.Fatalf("exported %+v", records)
		}
		for _, r := range records[5:] {
			if r.MutedUntil == nil || !r.MutedUntil.Equal(until) || r.Hidden == nil {
				t.Fatalf("exported %+v", r)
			}
		}
		if *records[6].Hidden != sent.ID {
			t.Errorf("hidden up to %s, want %s", records[6].Hidden, sent.ID)
		}
		if nobody := s.Export(t, "nobody"); len(nobody) != 0 {
			t.Errorf("exported %+v of nobody", nobody)
		}
	})
}

// TestExportPortions exports more messages than one query reads: sent, received, and to oneself.
func TestExportPortions(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		const n = 1200
		fill(t, s, "alice", "bob", "x", n/3)
		fill(t, s, "carol", "alice", "x", n/3)
		fill(t, s, "alice", "alice", "x", n/3)
		for _, peer := range []string{"x", "y"} {
			s.Block(t, "alice", peer)
		}
		records := s.Export(t, "alice")
		if len(records) != n+2 || records[n-1].Message == nil || records[n].Block == nil {
			t.Fatalf("exported %d records, want %d", len(records), n+2)
		}
		for i := range n - 1 {
			if a, b := records[i].Message.ID, records[i+1].Message.ID; bytes.Compare(a[:], b[:]) >= 0 {
				t.Fatalf("%s comes before %s", a, b)
			}
		}
	})
}

// TestExportCutShort closes the database during an export: the client must notice that it is
// incomplete.
func TestExportCutShort(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		// More than the buffers of the connection hold.
		fill(t, s, "alice", "bob", strings.Repeat("😀", 4000), 1200)
		api, err := client.NewClientWithResponses(s.URL) // a client that does not buffer the response
		if err != nil {
			t.Fatal(err)
		}
		read := 0
		for _, err = range messageservice.Export(t.Context(), api, "alice") {
			if read++; read == 1 {
				if err := s.DB.Close(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err == nil || read < 2 || read > 1200 {
			t.Errorf("read %d records, and then %v", read, err)
		}
		for _, err := range messageservice.Export(t.Context(), s, "alice") {
			if problem, ok := errors.AsType[*messageservice.ProblemError](err); !ok || problem.Status != http.StatusInternalServerError {
				t.Errorf("with the database closed: %v", err)
			}
		}
	})
}

func TestErase(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		fill(t, s, "alice", "bob", "x", 450)
		fill(t, s, "carol", "alice", "x", 250)
		question := s.SendRequest(t, client.SendMessageRequest{Sender: "bob", Recipient: "alice", Text: "why?", Metadata: client.Metadata{"a": 1}})
		request := client.SendMessageRequest{Sender: "alice", Recipient: "bob", Text: "last words", ReplyTo: &question.ID}
		last := storeKeyed(t, s, "key", request)
		deleted := storeKeyed(t, s, "another key", client.SendMessageRequest{Sender: "carol", Recipient: "alice", Text: "deleted before"})
		s.Delete(t, deleted.JSON201.ID)
		kept := s.Send(t, "bob", "carol", "between us")
		s.Read(t, "alice", "bob", question.ID)
		s.Read(t, "bob", "alice", question.ID)
		s.Read(t, "carol", "bob", kept.ID)
		s.Block(t, "alice", "mallory")
		s.Block(t, "bob", "alice")

		for range 2 { // it may be repeated
			s.Erase(t, "alice")
			if records := s.Export(t, "alice"); len(records) != 0 {
				t.Fatalf("left %d records, such as %+v", len(records), records[0])
			}
			if page := s.List(t, client.ListMessagesParams{}); len(page.Messages) != 1 || page.Messages[0].ID != kept.ID {
				t.Errorf("listed %d messages", len(page.Messages))
			}
			for user, peers := range map[string][]string{"alice": {}, "bob": {"carol"}, "carol": {"bob"}} {
				if got := peersOf(s.Conversations(t, user, client.ListConversationsParams{})); !slices.Equal(got, peers) {
					t.Errorf("%s talks to %v, want %v", user, got, peers)
				}
			}
		}
		if blocks := s.Blocks(t, "bob", client.ListBlocksParams{}); len(blocks.Blocks) != 1 {
			t.Errorf("bob blocks %+v", blocks)
		}
		apitest.Call(s.SetReadMarkerWithResponse(t.Context(), "bob", "alice", client.SetReadMarkerRequest{MessageID: question.ID})).Must(t, http.StatusUnprocessableEntity)
		s.Unblock(t, "bob", "alice")
		request = client.SendMessageRequest{Sender: "alice", Recipient: "bob", Text: "I am new here"}
		if fresh := sendKeyed(t, s, "key", request); fresh.JSON201 == nil || replayed(fresh) || fresh.JSON201.ID == last.JSON201.ID {
			t.Errorf("the key of an erased message is not free: %s", fresh.Body)
		}
		received := client.SendMessageRequest{Sender: "carol", Recipient: "alice", Text: "welcome"}
		if fresh := sendKeyed(t, s, "another key", received); fresh.JSON201 == nil || replayed(fresh) {
			t.Errorf("the key of a message that was deleted before is not free: %s", fresh.Body)
		}
		if c := s.Conversation(t, "bob", "alice"); c.UnreadCount != 1 || c.ReadMarker != nil || c.PeerReadMarker != nil {
			t.Errorf("bob and the new alice: %+v", c)
		}
	})
}

// TestEraseStopsWithItsRequest cancels an erasure, and completes it by another request.
func TestEraseStopsWithItsRequest(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		fill(t, s, "alice", "bob", "x", 500)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Service.EraseUser(ctx, messaging.AsService, "alice"); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
		s.Erase(t, "alice")
		if records := s.Export(t, "alice"); len(records) != 0 {
			t.Errorf("left %d records", len(records))
		}
	})
}

// TestEraseUnderLoad erases a user who sends and receives many messages meanwhile, on two
// replicas. All that was acknowledged before must be erased, and all that is left must be newer
// than all that was erased: at one moment nothing of the user was stored.
func TestEraseUnderLoad(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		replicas := startReplicas(t, engine, 0, 0)
		s := replicas[0]
		users := [][2]string{{"alice", "bob"}, {"bob", "alice"}, {"zoe", "alice"}, {"alice", "zoe"}, {"alice", "alice"}, {"carol", "alice"}}
		var sent atomic.Int64
		var flooding sync.WaitGroup
		stop := make(chan struct{})
		for i := range 12 {
			flooding.Go(func() {
				pair := users[i%len(users)]
				for n := 0; ; n++ {
					select {
					case <-stop:
						return
					default:
					}
					if i == 11 { // each message is from a new sender
						pair[0] = fmt.Sprint("stranger-", n)
					}
					params := &client.SendMessageParams{IdempotencyKey: new(fmt.Sprint("key-", i, "-", n))}
					if n%2 == 0 && engine == db.Postgres { // see RetryUnavailable
						params = nil
					}
					request := client.SendMessageRequest{Sender: pair[0], Recipient: pair[1], Text: "x"}
					answer := apitest.Call(replicas[i%2].SendMessageWithResponse(t.Context(), params, request)).Must(t, http.StatusCreated, http.StatusConflict)
					if answer.JSON201 != nil {
						sent.Add(1)
					}
				}
			})
		}
		for range 3 {
			from := sent.Load()
			until(t, func() bool { return sent.Load() >= from+300 })
			before := s.Clock(t, "alice")
			s.Erase(t, "alice")
			after := replicas[1].Export(t, "alice")
			for _, r := range after {
				if r.Message != nil && bytes.Compare(r.Message.ID[:], before[:]) <= 0 {
					t.Errorf("a message from before the request is left: %+v", r.Message)
				}
			}
			// The erasure gave ids to what it erased; all that is left must have greater ids.
			var newest uuid.UUID
			for cursor, more := before, true; more; {
				page := s.Changes(t, "alice", client.ListChangesParams{After: &cursor})
				for _, c := range page.Changes {
					if c.Message != nil && c.Message.DeletedAt != nil {
						newest = c.Cursor
					}
				}
				cursor, more = page.Next, page.HasMore
			}
			for _, r := range after {
				if r.Message != nil && bytes.Compare(r.Message.ID[:], newest[:]) < 0 {
					t.Errorf("message %s is left, from before the erasure at %s", r.Message.ID, newest)
					break
				}
			}
		}
		close(stop)
		flooding.Wait()
	})
}
