package apitest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/app"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/httpapi"
	"github.com/message-service/message-service/internal/messaging"
)

// testTimeout is how long a test waits for a condition.
const testTimeout = 30 * time.Second

// startReplicas runs servers that authenticate on one empty database, one for each given clock skew. On
// SQLite their clients retry, see [apitest.Client.RetryUnavailable].
func startReplicas(t *testing.T, engine db.Engine, skews ...time.Duration) []*apitest.Server {
	t.Helper()
	url := dbtest.NewURL(t, engine)
	replicas := make([]*apitest.Server, len(skews))
	for i, skew := range skews {
		now := func() time.Time { return time.Now().Add(skew) }
		replicas[i] = apitest.StartWith(t, url, app.Options{
			Messaging: messaging.Options{Now: now}, API: httpapi.Options{Authenticate: true},
		})
		if engine == db.SQLite {
			replicas[i].RetryUnavailable()
		}
	}
	return replicas
}

// startPublic starts a server with AllowUnauthenticated.
func startPublic(t *testing.T) *apitest.Server {
	t.Helper()
	options := app.Options{API: httpapi.Options{AllowUnauthenticated: true}}
	return apitest.StartWith(t, dbtest.NewURL(t, db.SQLite), options)
}

// closeService closes a service, which stores its queue.
func closeService(t *testing.T, service *messaging.Service) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	if err := service.Close(ctx); err != nil {
		t.Errorf("close: %v", err)
	}
}

// stall blocks writes to the mailboxes of alice and others until release is called, by holding
// their locks; on SQLite it holds the write lock of the database.
func stall(t *testing.T, s *apitest.Server, others ...string) (release func()) {
	t.Helper()
	users := append([]string{"alice"}, others...)
	for _, user := range users {
		s.Send(t, user, user, "so that the mailbox exists")
	}
	update, args, err := sqlx.In("UPDATE mailboxes SET clock = clock WHERE user_id IN (?)", users)
	if err != nil {
		t.Fatal(err)
	}
	locked, unlock, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	other := dbtest.Open(t, s.DatabaseURL)
	go func() {
		done <- other.Tx(context.WithoutCancel(t.Context()), time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
			if _, err := tx.ExecContext(ctx, tx.Rebind(update), args...); err != nil {
				return err
			}
			close(locked)
			<-unlock
			return nil
		})
	}()
	select {
	case <-locked:
	case err := <-done:
		t.Fatalf("stall: %v", err)
	}
	return func() {
		close(unlock)
		if err := <-done; err != nil {
			t.Errorf("stall: %v", err)
		}
	}
}

// until polls a condition every millisecond until it holds.
func until(t *testing.T, holds func() bool) {
	t.Helper()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(time.Minute); !holds(); <-ticker.C {
		if t.Failed() || time.Now().After(deadline) {
			t.Fatal("the condition that the test waits for did not become true")
		}
	}
}

func answerIs(t *testing.T, s *apitest.Server, method, path, body string, want int, header ...string) {
	t.Helper()
	answer := s.Do(t, method, path, strings.NewReader(body), append(header, "Content-Type: application/json")...)
	if answer.Status != want {
		t.Errorf("%s %s answered %d, want %d: %s", method, path, answer.Status, want, answer.Body)
	}
}

// draft is a request body with some members replaced.
func draft(members ...string) string {
	body := map[string]json.RawMessage{"sender": []byte(`"alice"`), "recipient": []byte(`"bob"`), "text": []byte(`"hi"`)}
	for _, member := range members {
		name, value, _ := strings.Cut(member, "=")
		body[name] = json.RawMessage(value)
	}
	text, err := json.Marshal(body)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// sendKeyed sends with an idempotency key.
func sendKeyed(t *testing.T, s *apitest.Server, key string, request client.SendMessageRequest) *client.SendMessageResponse {
	t.Helper()
	answer, err := s.SendMessageWithResponse(t.Context(), &client.SendMessageParams{IdempotencyKey: &key}, request)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// storeKeyed is sendKeyed for a message that must be stored, now or already.
func storeKeyed(t *testing.T, s *apitest.Server, key string, request client.SendMessageRequest) *client.SendMessageResponse {
	t.Helper()
	return apitest.Call(s.SendMessageWithResponse(t.Context(), &client.SendMessageParams{IdempotencyKey: &key}, request)).Must(t, http.StatusCreated)
}

// sendThrough sends a message to bob until it is acknowledged, or without a key once, and returns it then. The text is the key.
func sendThrough(t *testing.T, s *apitest.Server, sender, text string, keyed bool) *client.Message {
	t.Helper()
	var params client.SendMessageParams
	if keyed {
		params.IdempotencyKey = &text
	}
	for {
		answer, err := s.SendMessageWithResponse(t.Context(), &params, client.SendMessageRequest{Sender: sender, Recipient: "bob", Text: text})
		switch {
		case err != nil:
			t.Error(err)
			return nil
		case answer.StatusCode() != http.StatusServiceUnavailable && answer.JSON201 == nil:
			t.Errorf("%s: %s", text, answer.Body)
			return nil
		case answer.JSON201 != nil || !keyed:
			return answer.JSON201
		}
	}
}

func replayed(answer *client.SendMessageResponse) bool {
	return answer.HTTPResponse.Header.Get("Idempotent-Replayed") == "true"
}

// fill sends n messages concurrently.
func fill(t *testing.T, s *apitest.Server, sender, recipient, text string, n int) {
	t.Helper()
	failed := make(chan error, n)
	for range n {
		go func() {
			_, _, err := s.Service.Send(t.Context(), messaging.AsService, messaging.Draft{Sender: sender, Recipient: recipient, Text: text})
			failed <- err
		}()
	}
	for range n {
		if err := <-failed; err != nil {
			t.Fatal(err)
		}
	}
}

// walk yields a page and then the pages that the Link headers lead to.
func walk(t *testing.T, s *apitest.Server, params client.ListMessagesParams) iter.Seq[client.MessagePage] {
	t.Helper()
	request, err := client.NewListMessagesRequest(s.URL, &params)
	if err != nil {
		t.Fatal(err)
	}
	return walkFrom(t, s, request.URL.RequestURI())
}

// walkFrom yields the page of messages at a path and then the pages that the Link headers lead to.
func walkFrom(t *testing.T, s *apitest.Server, path string) iter.Seq[client.MessagePage] {
	return func(yield func(client.MessagePage) bool) {
		for {
			answer := s.Do(t, http.MethodGet, path, nil)
			var page client.MessagePage
			if err := json.Unmarshal([]byte(answer.Body), &page); answer.Status != http.StatusOK || err != nil {
				t.Fatalf("%s: %d %s", path, answer.Status, answer.Body)
			}
			if !yield(page) {
				return
			}
			link, rel, found := strings.Cut(answer.Header.Get("Link"), "; ")
			if found != page.HasMore || found && rel != `rel="next"` || found != (page.Next != nil) || found && !strings.Contains(link, page.Next.String()) {
				t.Fatalf("hasMore is %v, next %v, Link %q %q", page.HasMore, page.Next, link, rel)
			}
			if !found {
				return
			}
			path = strings.Trim(link, "<>")
		}
	}
}

func ids(messages []client.Message) []uuid.UUID {
	list := make([]uuid.UUID, len(messages))
	for i, m := range messages {
		list[i] = m.ID
	}
	return list
}

func peersOf(page client.ConversationPage) []string {
	peers := make([]string, len(page.Conversations))
	for i, c := range page.Conversations {
		peers[i] = c.Peer
	}
	return peers
}

// describe formats changes in short.
func describe(changes []client.Change) string {
	lines := make([]string, len(changes))
	for i, c := range changes {
		switch {
		case c.ReadMarker != nil:
			lines[i] = fmt.Sprintf("%s read %s", c.ReadMarker.User, c.ReadMarker.Peer)
		case c.Message.DeletedAt != nil:
			lines[i] = "deleted"
		case c.Message.EditedAt != nil:
			lines[i] = "edited " + c.Message.Text
		default:
			lines[i] = c.Message.Text
		}
	}
	return strings.Join(lines, ", ")
}

// startStream opens a stream that is closed after the test or a timeout.
func startStream(t *testing.T, c *apitest.Client, user string, after *uuid.UUID) *apitest.Stream {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 2*time.Minute)
	t.Cleanup(cancel)
	stream, err := c.Follow(ctx, t, user, after)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stream.Close)
	return stream
}

// expect reads the next changes of a stream.
func expect(t *testing.T, stream *apitest.Stream, want ...string) {
	t.Helper()
	for _, want := range want {
		change, err := stream.Next()
		if err != nil {
			t.Fatalf("%v, want %s", err, want)
		}
		if got := describe([]client.Change{change}); got != want {
			t.Errorf("the stream brought %s, want %s", got, want)
		}
	}
}
