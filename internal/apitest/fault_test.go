package apitest_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/messaging"
)

// stall keeps the server from committing anything for alice until release is
// called: it holds the lock of her mailbox, in SQLite that of the whole file.
func stall(t *testing.T, s *apitest.Server) (release func()) {
	t.Helper()
	s.Send(t, "alice", "alice", "so that the mailbox exists")
	locked, unlock, done := make(chan struct{}), make(chan struct{}), make(chan error)
	other := apitest.Open(t, s.DatabaseURL)
	go func() {
		done <- other.Tx(context.Background(), testTimeout, func(ctx context.Context, tx *sqlx.Tx) error {
			if _, err := tx.ExecContext(ctx, "UPDATE mailboxes SET clock = clock WHERE user_id = 'alice'"); err != nil {
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
		t.Fatal(err)
	}
	return func() {
		close(unlock)
		if err := <-done; err != nil {
			t.Errorf("stall: %v", err)
		}
	}
}

// TestOverload fills the queue: what is refused is refused at once with 503 and
// Retry-After and never stored; what is accepted is stored.
func TestOverload(t *testing.T) {
	apitest.Engines(t, func(t *testing.T, engine db.Engine) {
		const queue, sends = 3, 40
		s := apitest.Start(t, engine, messaging.Options{QueueSize: queue})
		release := stall(t, s)
		type outcome struct {
			text   string
			answer *client.SendMessageResponse
		}
		outcomes := make(chan outcome, sends)
		for i := range sends {
			go func() {
				text := fmt.Sprint(i)
				answer, err := s.SendMessageWithResponse(context.WithoutCancel(t.Context()), nil, client.SendMessageRequest{Sender: "alice", Recipient: "bob", Text: text})
				if err != nil {
					t.Error(err)
				}
				outcomes <- outcome{text, answer}
			}()
		}
		// Two writers may hold a batch each, of at most a queue and one more.
		const mayWait = 3*queue + 2
		want := map[string]bool{}
		for i := range sends {
			if i == sends-mayWait {
				release()
			}
			o := <-outcomes
			switch o.answer.StatusCode() {
			case http.StatusCreated:
				want[o.text] = true
			case http.StatusServiceUnavailable:
				if o.answer.HTTPResponse.Header.Get("Retry-After") == "" {
					t.Error("503 without Retry-After")
				}
			default:
				t.Errorf("answered %s", o.answer.Body)
			}
		}
		page := s.List(t, client.ListMessagesParams{Recipient: new("bob")})
		for _, m := range page.Messages {
			if !want[m.Text] {
				t.Errorf("%s was refused and stored", m.Text)
			}
		}
		if len(want) == 0 || len(want) == sends || len(page.Messages) != len(want) {
			t.Errorf("of %d sends, %d were acknowledged and %d stored", sends, len(want), len(page.Messages))
		}
	})
}

// TestCancelledSend cancels a request that waits to be stored: its batch is stored
// all the same.
func TestCancelledSend(t *testing.T) {
	apitest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		release := stall(t, s)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				if i%2 == 0 {
					_, _, err := s.Service.Send(ctx, messaging.Draft{Sender: "alice", Recipient: "bob", Text: "cancelled"})
					if !errors.Is(err, context.Canceled) {
						t.Errorf("cancelled: %v", err)
					}
					return
				}
				if _, _, err := s.Service.Send(t.Context(), messaging.Draft{Sender: "alice", Recipient: "bob", Text: "kept"}); err != nil {
					t.Errorf("kept: %v", err)
				}
			})
		}
		cancel()
		release()
		wg.Wait()
		kept := 0
		for _, m := range s.List(t, client.ListMessagesParams{Recipient: new("bob")}).Messages {
			if m.Text == "kept" {
				kept++
			}
		}
		if kept != 10 {
			t.Errorf("%d of the 10 sends that were not cancelled are stored", kept)
		}
	})
}

// TestPoisonedBatch stores a batch in which the database refuses one message.
func TestPoisonedBatch(t *testing.T) {
	poison := map[db.Engine]string{
		db.Postgres: "ALTER TABLE messages ADD CONSTRAINT poison CHECK (text <> 'poison')",
		db.SQLite:   "CREATE TRIGGER poison BEFORE INSERT ON messages WHEN NEW.text = 'poison' BEGIN SELECT RAISE(ABORT, 'poison'); END",
	}
	apitest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		err := s.DB.Tx(t.Context(), testTimeout, func(ctx context.Context, tx *sqlx.Tx) error {
			_, err := tx.ExecContext(ctx, poison[engine])
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		release := stall(t, s) // so that the sends gather in few batches
		var wg sync.WaitGroup
		for i := range 50 {
			wg.Go(func() {
				text, want := fmt.Sprint(i), http.StatusCreated
				if i%17 == 0 {
					text, want = "poison", http.StatusInternalServerError
				}
				answer, err := s.SendMessageWithResponse(t.Context(), nil, client.SendMessageRequest{Sender: "alice", Recipient: "bob", Text: text})
				if err != nil || answer.StatusCode() != want {
					t.Errorf("%s: %v, answered %s", text, err, answer.Body)
				}
			})
		}
		release()
		wg.Wait()
		if page := s.List(t, client.ListMessagesParams{Recipient: new("bob")}); len(page.Messages) != 47 {
			t.Errorf("stored %d messages, want 47", len(page.Messages))
		}
	})
}

// TestClosedService refuses sends with 503 once it has stored what was waiting.
func TestClosedService(t *testing.T) {
	apitest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		s.Service.Close()
		answer, err := s.SendMessageWithResponse(t.Context(), nil, client.SendMessageRequest{Sender: "alice", Recipient: "bob", Text: "late"})
		if err != nil || answer.StatusCode() != http.StatusServiceUnavailable {
			t.Errorf("answered %v %s", err, answer.Body)
		}
	})
}

// TestDatabaseGone answers 503 while the database is gone, /health all along, and
// works again when it is back.
func TestDatabaseGone(t *testing.T) {
	t.Parallel()
	proxy, url := newProxy(t, apitest.NewDatabaseURL(t, db.Postgres))
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

// TestDatabaseLocked answers 503 when another process holds SQLite's lock for longer
// than the server waits; reading goes on.
func TestDatabaseLocked(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, db.SQLite, messaging.Options{})
	release := stall(t, s)
	answerIs(t, s, http.MethodPost, "/v1/messages", draft(), http.StatusServiceUnavailable)
	answerIs(t, s, http.MethodGet, "/v1/messages", "", http.StatusOK)
	release()
	s.Send(t, "alice", "bob", "after")
}

// TestConnectionLoss cuts the connections to Postgres again and again while keyed
// sends are repeated until they are acknowledged: each makes one message, and a
// message that was acknowledged once is the one that is stored. The seed is in the
// log.
func TestConnectionLoss(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	proxy, url := newProxy(t, apitest.NewDatabaseURL(t, db.Postgres))
	s := apitest.StartOn(t, url, messaging.Options{})
	const senders, each, cuts = 20, 25, 15
	var acknowledged atomic.Int64
	var mu sync.Mutex
	made := map[uuid.UUID]string{}
	var wg sync.WaitGroup
	for i := range senders {
		wg.Go(func() {
			for j := range each {
				key := fmt.Sprint(i, "-", j)
				for {
					answer := sendKeyed(t, s, key, client.SendMessageRequest{Sender: fmt.Sprint("sender-", i%5), Recipient: "bob", Text: key})
					if answer.JSON201 != nil {
						mu.Lock()
						made[answer.JSON201.ID] = key
						mu.Unlock()
						acknowledged.Add(1)
						break
					}
					if answer.StatusCode() != http.StatusServiceUnavailable {
						t.Errorf("%s: %s", key, answer.Body)
						return
					}
				}
			}
		})
	}
	for cut := range cuts {
		// Spread over the run: some sends are always on their way when it comes.
		for acknowledged.Load() < int64(cut*senders*each/cuts)+random.Int64N(10) && !t.Failed() {
			runtime.Gosched()
		}
		proxy.cut()
		proxy.restore()
	}
	wg.Wait()
	since := time.Now().Add(-time.Hour)
	stored := map[uuid.UUID]string{}
	for page := range walk(t, s, client.ListMessagesParams{Recipient: new("bob"), Since: &since}) {
		for _, m := range page.Messages {
			stored[m.ID] = m.Text
		}
	}
	if len(stored) != senders*each || !maps.Equal(stored, made) {
		t.Errorf("%d messages acknowledged, %d stored, want %d", len(made), len(stored), senders*each)
	}
}
