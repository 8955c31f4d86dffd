package apitest_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/messaging"
)

func TestIdempotencyKey(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		request := client.SendMessageRequest{
			Sender: "alice", Recipient: "bob", Text: "once", Metadata: client.Metadata{"b": 1, "a": "<&>"},
		}
		first := storeKeyed(t, s, "key", request)
		if replayed(first) {
			t.Fatalf("first: %s, replayed", first.Body)
		}
		again := sendKeyed(t, s, "key", request)
		if !replayed(again) || string(again.Body) != string(first.Body) {
			t.Errorf("again: %s, replayed %v, want %s", again.Body, replayed(again), first.Body)
		}
		if location := again.HTTPResponse.Header.Get("Location"); location != first.HTTPResponse.Header.Get("Location") {
			t.Errorf("again: Location is %q", location)
		}

		for name, other := range map[string]client.SendMessageRequest{
			"text":     {Sender: "alice", Recipient: "bob", Text: "twice", Metadata: request.Metadata},
			"metadata": {Sender: "alice", Recipient: "bob", Text: "once"},
		} {
			refused := sendKeyed(t, s, "key", other)
			problem := refused.ApplicationProblemJSON422
			if problem == nil || !strings.HasSuffix(problem.Type, ":idempotency-key-reused") || len(problem.Errors) != 1 || *problem.Errors[0].Parameter != "Idempotency-Key" {
				t.Errorf("another %s: %s", name, refused.Body)
			}
		}
		for name, other := range map[string]client.SendMessageRequest{
			"sender":    {Sender: "carol", Recipient: "bob", Text: "once"},
			"recipient": {Sender: "alice", Recipient: "carol", Text: "once"},
			"direction": {Sender: "bob", Recipient: "alice", Text: "once"},
		} {
			if other := sendKeyed(t, s, "key", other); other.JSON201 == nil || replayed(other) {
				t.Errorf("the same key for another %s: %s", name, other.Body)
			}
		}
		if page := s.List(t, client.ListMessagesParams{Recipient: new("bob"), Sender: new("alice")}); len(page.Messages) != 1 {
			t.Errorf("listed %d messages, want 1", len(page.Messages))
		}
	})
}

// TestRepeatedInAnotherOrder repeats requests with their properties in another order, also in the metadata, and with white
// space: they are the same requests.
func TestRepeatedInAnotherOrder(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		for target, bodies := range map[string][2]string{
			"POST /v1/messages": {
				`{"sender":"alice","recipient":"bob","text":"once","metadata":{"a":1,"b":{"c":2,"d":3}}}`,
				`{"text": "once", "metadata": {"b": {"d": 3, "c": 2}, "a": 1}, "recipient": "bob", "sender": "alice"}`,
			},
			"PUT /v1/groups/~team": {
				`{"name":"Team","owner":"alice","metadata":{"a":1,"b":{"c":2,"d":3}}}`,
				`{"metadata": {"b": {"d": 3, "c": 2}, "a": 1}, "owner": "alice", "name": "Team"}`,
			},
		} {
			method, path, _ := strings.Cut(target, " ")
			var answers [2]string
			for i, body := range bodies {
				answer := s.Do(t, method, path, strings.NewReader(body), "Content-Type: application/json", "Idempotency-Key: key")
				if answers[i] = answer.Body; answer.Status >= http.StatusBadRequest || answers[i] != answers[0] {
					t.Errorf("%s is answered %d %s, want %s", target, answer.Status, answers[i], answers[0])
				}
			}
		}
	})
}

func TestIdempotencyKeyOfDeletedMessage(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		request := client.SendMessageRequest{Sender: "alice", Recipient: "bob", Text: "secret", Metadata: client.Metadata{"a": 1}}
		first := storeKeyed(t, s, "key", request)
		s.Delete(t, first.JSON201.ID)
		again := sendKeyed(t, s, "key", request)
		m := again.JSON201
		if m == nil || !replayed(again) || m.ID != first.JSON201.ID || m.Text != "" || m.Metadata != nil || m.DeletedAt == nil {
			t.Errorf("again: %s", again.Body)
		}
		request.Text = "another"
		if other := sendKeyed(t, s, "key", request); other.ApplicationProblemJSON422 == nil ||
			!strings.HasSuffix(other.ApplicationProblemJSON422.Type, ":idempotency-key-reused") {
			t.Errorf("another body: %s", other.Body)
		}
	})
}

// TestIdempotencyKeyRace sends each of many messages several times concurrently, on two
// replicas.
func TestIdempotencyKeyRace(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		replicas := startReplicas(t, engine, 0, 0)
		s := replicas[0]
		const keys, repetitions = 50, 4
		var mu sync.Mutex
		made := map[string]map[uuid.UUID]int{}
		first := map[string]int{}
		var wg sync.WaitGroup
		for i := range keys * repetitions {
			wg.Go(func() {
				key := fmt.Sprint("key-", i%keys)
				answer := sendKeyed(t, replicas[i/keys%2], key, client.SendMessageRequest{
					Sender: fmt.Sprint("sender-", i%keys%3), Recipient: "bob", Text: key,
				})
				if answer.JSON201 == nil {
					t.Errorf("%s: %s", key, answer.Body)
					return
				}
				mu.Lock()
				defer mu.Unlock()
				if made[key] == nil {
					made[key] = map[uuid.UUID]int{}
				}
				made[key][answer.JSON201.ID]++
				if !replayed(answer) {
					first[key]++
				}
			})
		}
		wg.Wait()
		for key, messages := range made {
			if len(messages) != 1 || first[key] != 1 {
				t.Errorf("%s made %d messages and was first %d times, want 1 and 1", key, len(messages), first[key])
			}
		}
		if page := s.List(t, client.ListMessagesParams{Recipient: new("bob")}); len(page.Messages) != keys {
			t.Errorf("listed %d messages, want %d", len(page.Messages), keys)
		}
	})
}

// TestBatch concurrently sends many messages between few users, some of them twice, so that a
// batch has several of each conversation: every key must make one message, and each
// conversation must show its newest.
func TestBatch(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		users := []string{"alice", "bob", "carol"}
		for round := range 3 {
			release := stall(t, s)
			ids := make([]uuid.UUID, 200)
			var sending sync.WaitGroup
			for i := range ids {
				sending.Go(func() {
					n := i % 150 // the last ones are repetitions
					request := client.SendMessageRequest{Sender: users[n%3], Recipient: users[n/3%3], Text: fmt.Sprint(n)}
					ids[i] = storeKeyed(t, s, fmt.Sprint(round, " ", n), request).JSON201.ID
				})
			}
			release()
			sending.Wait()
			for i := range 50 {
				if ids[i] != ids[i+150] {
					t.Errorf("the key %d made %s and %s", i, ids[i], ids[i+150])
				}
			}
			for _, user := range users {
				for _, c := range s.Conversations(t, user, client.ListConversationsParams{}).Conversations {
					thread := s.Thread(t, user, c.Peer, client.ListConversationMessagesParams{})
					if c.LastMessage.ID != thread.Messages[0].ID {
						t.Errorf("%s sees %s as the last message with %s, and %s is", user, c.LastMessage.ID, c.Peer, thread.Messages[0].ID)
					}
				}
			}
		}
	})
}
