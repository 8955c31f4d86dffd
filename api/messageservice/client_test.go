package messageservice_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/message-service/message-service/api/messageservice"
	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/messaging"
)

// unreliable answers the first requests with 503 and passes on the rest.
func unreliable(t *testing.T, next http.Handler, failures int64, header ...string) (url string, requests *atomic.Int64) {
	t.Helper()
	requests = &atomic.Int64{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) > failures {
			next.ServeHTTP(w, r)
			return
		}
		for _, line := range header {
			name, value, _ := strings.Cut(line, ": ")
			w.Header().Set(name, value)
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	t.Cleanup(server.Close)
	return server.URL, requests
}

func newClient(t *testing.T, url string) *client.ClientWithResponses {
	t.Helper()
	api, err := messageservice.New(url)
	if err != nil {
		t.Fatal(err)
	}
	return api
}

var request = client.SendMessageRequest{Sender: "alice", Recipient: "bob", Text: "Lunch at noon?"}

func TestJourney(t *testing.T) {
	apitest.Engines(t, func(t *testing.T, engine db.Engine) {
		api := newClient(t, apitest.Start(t, engine, messaging.Options{}).URL)
		params := &client.SendMessageParams{IdempotencyKey: new(uuid.NewString())}
		first, err := messageservice.Check(api.SendMessageWithResponse(t.Context(), params, request))
		if err != nil {
			t.Fatal(err)
		}
		again, err := messageservice.Check(api.SendMessageWithResponse(t.Context(), params, request))
		if err != nil || again.JSON201.ID != first.JSON201.ID {
			t.Errorf("sent again: %v %s", err, again.Body)
		}
		second, err := messageservice.Check(api.SendMessageWithResponse(t.Context(), nil, request))
		if err != nil {
			t.Fatal(err)
		}
		newer, err := messageservice.Check(api.ListMessagesWithResponse(t.Context(), &client.ListMessagesParams{Recipient: new("bob"), After: &first.JSON201.ID}))
		if err != nil || len(newer.JSON200.Messages) != 1 || newer.JSON200.Messages[0].ID != second.JSON201.ID {
			t.Errorf("after the first: %v %s", err, newer.Body)
		}
		older, err := messageservice.Check(api.ListMessagesWithResponse(t.Context(), &client.ListMessagesParams{Recipient: new("bob"), Before: &second.JSON201.ID}))
		if err != nil || len(older.JSON200.Messages) != 1 || older.JSON200.Messages[0].ID != first.JSON201.ID {
			t.Errorf("before the second: %v %s", err, older.Body)
		}
		if _, err := messageservice.Check(api.DeleteMessageWithResponse(t.Context(), first.JSON201.ID)); err != nil {
			t.Error(err)
		}
		_, err = messageservice.Check(api.GetMessageWithResponse(t.Context(), first.JSON201.ID))
		problem, ok := errors.AsType[*messageservice.ProblemError](err)
		if !ok || problem.Type != messageservice.NotFound || problem.Status != http.StatusNotFound {
			t.Errorf("read a deleted message: %v", err)
		}
		_, err = messageservice.Check(api.SendMessageWithResponse(t.Context(), nil, client.SendMessageRequest{Sender: "alice", Recipient: "bob"}))
		problem, ok = errors.AsType[*messageservice.ProblemError](err)
		if !ok || problem.Type != messageservice.UnprocessableContent || !strings.Contains(err.Error(), `"/text" must`) {
			t.Errorf("sent nothing: %v", err)
		}
	})
}

func TestNewRefuses(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "not a url", "localhost:8080", "ftp://localhost", "http://", "http://%zz"} {
		if _, err := messageservice.New(url); err == nil {
			t.Errorf("made a client of %q", url)
		}
	}
}

// TestRetry checks what is repeated, and that Retry-After is respected.
func TestRetry(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, db.SQLite, messaging.Options{})

	url, requests := unreliable(t, s.API, 2, "Retry-After: 1")
	start := time.Now()
	params := &client.SendMessageParams{IdempotencyKey: new(uuid.NewString())}
	if _, err := messageservice.Check(newClient(t, url).SendMessageWithResponse(t.Context(), params, request)); err != nil {
		t.Errorf("a keyed send: %v", err)
	}
	if requests.Load() != 3 || time.Since(start) < 2*time.Second {
		t.Errorf("%d requests in %v, want 3 in 2 s", requests.Load(), time.Since(start))
	}

	url, requests = unreliable(t, s.API, 1)
	if _, err := messageservice.Check(newClient(t, url).ListMessagesWithResponse(t.Context(), nil)); err != nil || requests.Load() != 2 {
		t.Errorf("a list: %v after %d requests, want 2", err, requests.Load())
	}

	url, requests = unreliable(t, s.API, 1)
	_, err := messageservice.Check(newClient(t, url).SendMessageWithResponse(t.Context(), nil, request))
	if _, ok := errors.AsType[*messageservice.ProblemError](err); err == nil || ok || requests.Load() != 1 {
		t.Errorf("a send without a key: %v after %d requests, want an error after 1", err, requests.Load())
	}

	url, requests = unreliable(t, s.API, 1000)
	answer, err := newClient(t, url).GetLimitsWithResponse(t.Context())
	if err != nil || answer.StatusCode() != http.StatusServiceUnavailable || requests.Load() != 5 {
		t.Errorf("given up with %v %s after %d requests, want the last answer after 5", err, answer.Status(), requests.Load())
	}
}
