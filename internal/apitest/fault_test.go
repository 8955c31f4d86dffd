package apitest_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/messaging"
)

// TestOverload blocks writes and fills the queue. While it is full, all sends, even invalid
// ones, must be refused with 503 and Retry-After. In the end exactly the accepted messages
// must be stored.
func TestOverload(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{QueueSize: 1})
		release := stall(t, s)
		want := map[string]bool{}
		ended, end := context.WithCancel(t.Context())
		end()
		for i := 0; len(want) < 2; i++ { // one in the writer's blocked batch, and one in the queue
			text := fmt.Sprint(i)
			_, _, err := s.Service.Send(ended, messaging.AsService, messaging.Draft{Sender: "alice", Recipient: "bob", Text: text})
			if errors.Is(err, context.Canceled) { // it is in the queue
				want[text] = true
			} else if e, ok := errors.AsType[*messaging.Error](err); !ok || e.Code != messaging.Unavailable {
				t.Fatalf("send: %v", err)
			}
		}
		for _, body := range []string{draft(), "{"} { // a full queue refuses a send before its body is read
			answer := s.Do(t, http.MethodPost, "/v1/messages", strings.NewReader(body), "Content-Type: application/json")
			if answer.Status != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") == "" {
				t.Errorf("answered %d with Retry-After %q: %s", answer.Status, answer.Header.Get("Retry-After"), answer.Body)
			}
		}
		release()
		var mu sync.Mutex
		var wg sync.WaitGroup
		for i := range 20 { // more than the queue holds; places become free while they are sent
			wg.Go(func() {
				request := client.SendMessageRequest{Sender: "alice", Recipient: "bob", Text: fmt.Sprint("later ", i)}
				answer := apitest.Call(s.SendMessageWithResponse(t.Context(), nil, request)).Must(t, http.StatusCreated, http.StatusServiceUnavailable)
				mu.Lock()
				defer mu.Unlock()
				want[request.Text] = answer.JSON201 != nil
			})
		}
		wg.Wait()
		closeService(t, s.Service) // stores the rest of the queue
		maps.DeleteFunc(want, func(_ string, accepted bool) bool { return !accepted })
		stored := map[string]bool{}
		for _, m := range s.List(t, client.ListMessagesParams{Recipient: new("bob")}).Messages {
			stored[m.Text] = true
		}
		if !maps.Equal(stored, want) {
			t.Errorf("accepted %v and stored %v", want, stored)
		}
	})
}

// TestCancelledSend cancels requests whose messages are queued: these messages and the others
// of their batch must be stored all the same.
func TestCancelledSend(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		release := stall(t, s)
		cancelled, cancel := context.WithCancel(t.Context())
		var ended, kept sync.WaitGroup
		for range 10 {
			ended.Go(func() {
				// It ends early only once the message is in the queue.
				_, _, err := s.Service.Send(cancelled, messaging.AsService, messaging.Draft{Sender: "alice", Recipient: "bob", Text: "cancelled"})
				if !errors.Is(err, context.Canceled) {
					t.Errorf("cancelled: %v", err)
				}
			})
			kept.Go(func() {
				if _, _, err := s.Service.Send(t.Context(), messaging.AsService, messaging.Draft{Sender: "alice", Recipient: "bob", Text: "kept"}); err != nil {
					t.Errorf("kept: %v", err)
				}
			})
		}
		cancel()
		ended.Wait()
		release()
		kept.Wait()
		closeService(t, s.Service) // stores the rest of the queue
		stored := map[string]int{}
		for _, m := range s.List(t, client.ListMessagesParams{Recipient: new("bob")}).Messages {
			stored[m.Text]++
		}
		if stored["cancelled"] != 10 || stored["kept"] != 10 {
			t.Errorf("stored %v, want 10 of each", stored)
		}
	})
}

// TestPoisonedBatch stores a batch in which the database refuses one message.
func TestPoisonedBatch(t *testing.T) {
	poison := map[db.Engine]string{
		db.Postgres: "ALTER TABLE messages ADD CONSTRAINT poison CHECK (text <> 'poison')",
		db.SQLite:   "CREATE TRIGGER poison BEFORE INSERT ON messages WHEN NEW.text = 'poison' BEGIN SELECT RAISE(ABORT, 'poison'); END",
	}
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		err := s.DB.Tx(t.Context(), testTimeout, func(ctx context.Context, tx *sqlx.Tx) error {
			_, err := tx.ExecContext(ctx, poison[engine])
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		release := stall(t, s) // so that the sends are stored in few batches
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				text, want := fmt.Sprint(i), http.StatusCreated
				if i%17 == 0 {
					text, want = "poison", http.StatusInternalServerError
				}
				apitest.Call(s.SendMessageWithResponse(t.Context(), nil, client.SendMessageRequest{Sender: "alice", Recipient: "bob", Text: text})).Must(t, want)
			})
		}
		release()
		wg.Wait()
		if page := s.List(t, client.ListMessagesParams{Recipient: new("bob")}); len(page.Messages) != 47 {
			t.Errorf("stored %d messages, want 47", len(page.Messages))
		}
	})
}

// TestClose closes a service while sends are queued: it must store them and refuse others.
func TestClose(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		release := stall(t, s)
		ended, end := context.WithCancel(t.Context())
		end()
		for i := range 50 { // each returns once it is in the queue
			_, _, err := s.Service.Send(ended, messaging.AsService, messaging.Draft{Sender: "alice", Recipient: "bob", Text: fmt.Sprint(i)})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("send: %v", err)
			}
		}
		if err := s.Service.Close(ended); err == nil {
			t.Error("closed with sends in the queue and no time to store them")
		}
		answerIs(t, s, http.MethodPost, "/v1/messages", draft(), http.StatusServiceUnavailable)
		release()
		closeService(t, s.Service)
		if page := s.List(t, client.ListMessagesParams{Recipient: new("bob")}); len(page.Messages) != 50 {
			t.Errorf("stored %d messages, want 50", len(page.Messages))
		}
	})
}

// TestDatabaseGone stops the database: requests must be answered 503, /health 200, and
// everything must work when it is back.
func TestDatabaseGone(t *testing.T) {
	t.Parallel()
	proxy, url := newProxy(t, dbtest.NewURL(t, db.Postgres))
	s := apitest.StartOn(t, url, messaging.Options{})
	m := s.Send(t, "alice", "bob", "before")
	proxy.cut()
	for _, request := range []struct{ method, path, body string }{
		{http.MethodPost, "/v1/messages", draft()},
		{http.MethodGet, "/v1/messages", ""},
		{http.MethodGet, "/v1/messages/" + m.ID.String(), ""},
		{http.MethodDelete, "/v1/messages/" + m.ID.String(), ""},
		{http.MethodGet, "/ready", ""},
	} {
		answerIs(t, s, request.method, request.path, request.body, http.StatusServiceUnavailable)
	}
	answerIs(t, s, http.MethodGet, "/health", "", http.StatusOK)
	proxy.restore()
	answerIs(t, s, http.MethodGet, "/ready", "", http.StatusOK)
	s.Send(t, "alice", "bob", "after")
	if page := s.List(t, client.ListMessagesParams{}); len(page.Messages) != 2 {
		t.Errorf("listed %+v", page)
	}
}

// TestDatabaseSilent makes Postgres stop responding on open connections, as after a power cut:
// requests must be answered 503, and everything must work when it responds again.
func TestDatabaseSilent(t *testing.T) {
	t.Parallel()
	proxy, url := newProxy(t, dbtest.NewURL(t, db.Postgres))
	s := apitest.StartOn(t, url, messaging.Options{})
	s.Send(t, "alice", "bob", "before")
	proxy.gate.Lock()
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() { answerIs(t, s, http.MethodPost, "/v1/messages", draft(), http.StatusServiceUnavailable) })
		wg.Go(func() { answerIs(t, s, http.MethodGet, "/v1/messages", "", http.StatusServiceUnavailable) })
		wg.Go(func() { answerIs(t, s, http.MethodGet, "/ready", "", http.StatusServiceUnavailable) })
	}
	answerIs(t, s, http.MethodGet, "/health", "", http.StatusOK)
	wg.Wait()
	proxy.gate.Unlock()
	s.Send(t, "alice", "bob", "after")
	answerIs(t, s, http.MethodGet, "/ready", "", http.StatusOK)
}

// TestDatabaseLocked has another process hold SQLite's write lock for longer than the server
// waits: writes must be answered 503, and reads must succeed.
func TestDatabaseLocked(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, db.SQLite, messaging.Options{})
	release := stall(t, s)
	answerIs(t, s, http.MethodPost, "/v1/messages", draft(), http.StatusServiceUnavailable)
	answerIs(t, s, http.MethodGet, "/v1/messages", "", http.StatusOK)
	release()
	s.Send(t, "alice", "bob", "after")
}

// TestConnectionLoss repeatedly cuts the connections to Postgres while messages are sent, half of them with idempotency
// keys. Those are retried until they are acknowledged. Each must be stored once, as it was acknowledged; one
// without a key that was not acknowledged may be stored, but not twice. It logs the seed.
func TestConnectionLoss(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	proxy, url := newProxy(t, dbtest.NewURL(t, db.Postgres))
	s := apitest.StartOn(t, url, messaging.Options{})
	const senders, each, cuts = 20, 25, 15
	acks := make(chan *client.Message)
	var wg sync.WaitGroup
	for i := range senders {
		wg.Go(func() {
			for j := range each {
				if m := sendThrough(t, s, fmt.Sprint("sender-", i%5), fmt.Sprint(i, "-", j), i%2 == 0); m != nil {
					acks <- m
				}
			}
		})
	}
	go func() {
		wg.Wait()
		close(acks)
	}()
	made := map[string]uuid.UUID{}
	next := random.IntN(senders * each / cuts)
	for m := range acks {
		made[m.Text] = m.ID
		if len(made) >= next { // the other senders have got further
			proxy.cut()
			proxy.restore()
			next += 1 + random.IntN(2*senders*each/cuts)
		}
	}
	since := time.Now().Add(-time.Hour)
	stored := map[string]uuid.UUID{}
	for page := range walk(t, s, client.ListMessagesParams{Recipient: new("bob"), Since: &since}) {
		for _, m := range page.Messages {
			if stored[m.Text] != (uuid.UUID{}) {
				t.Errorf("%s is stored twice", m.Text)
			}
			stored[m.Text] = m.ID
		}
	}
	for i := range senders {
		for j := range each {
			text := fmt.Sprint(i, "-", j)
			if id, acknowledged := made[text]; stored[text] != id && (acknowledged || i%2 == 0) {
				t.Errorf("%s is acknowledged as %s, and stored as %s", text, id, stored[text])
			}
		}
	}
}
