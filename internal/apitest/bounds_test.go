package apitest_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/app"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/messaging"
)

// TestEditsWait edits one message concurrently and repeatedly while another client sends: sends
// must be interleaved with the edits and not wait for all of them.
func TestEditsWait(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		m := s.Send(t, "alice", "bob", "hello")
		ctx, stop := context.WithCancel(t.Context())
		var edits atomic.Int64
		var wg sync.WaitGroup
		const editors, sends = 200, 20
		for i := range editors {
			wg.Go(func() {
				for ctx.Err() == nil {
					_, err := s.Service.Edit(ctx, messaging.AsService, messaging.ID(m.ID), messaging.Edit{Text: new(fmt.Sprint(i))})
					if err == nil {
						edits.Add(1)
					} else if ctx.Err() == nil {
						t.Errorf("edit: %v", err)
						return
					}
				}
			})
		}
		until(t, func() bool { return edits.Load() > 0 })
		before := edits.Load()
		for i := range sends {
			s.Send(t, "carol", "dan", fmt.Sprint(i))
		}
		if during := edits.Load() - before; during > 10*sends {
			t.Errorf("%d edits were stored before %d sends of others", during, sends)
		}
		stop()
		wg.Wait()
	})
}

// TestEditsHoldNothing makes edits wait for locked mailboxes: more edits than there are database
// connections, and more than may wait for one mailbox. Other users must be able to send and
// read meanwhile and, on Postgres, to edit. (SQLite has one lock for the whole database.)
func TestEditsHoldNothing(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ connections, mailboxes int }{
		"of one mailbox": {8, 1}, "of four mailboxes": {4, 4},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := apitest.StartWith(t, dbtest.NewURL(t, db.Postgres), app.Options{
				Messaging: messaging.Options{QueueSize: 64}, Database: db.Options{MaxConnections: test.connections},
			})
			other := s.Send(t, "carol", "dan", "hello")
			users := []string{"alice", "bob", "erin", "frank"}[:test.mailboxes]
			edited := make([]messaging.ID, len(users))
			for i, user := range users {
				edited[i] = messaging.ID(s.Send(t, user, user, "hello").ID)
			}
			release := stall(t, s, users[1:]...)
			var wg sync.WaitGroup
			defer wg.Wait()
			defer release()
			for i := range 100 {
				wg.Go(func() {
					_, err := s.Service.Edit(t.Context(), messaging.AsService, edited[i%len(edited)], messaging.Edit{Text: new(fmt.Sprint(i))})
					if e, ok := errors.AsType[*messaging.Error](err); err != nil && (!ok || e.Code != messaging.Unavailable) {
						t.Errorf("an edit that waits: %v", err)
					}
				})
			}
			elsewhere, waiting := dbtest.Open(t, s.DatabaseURL), min(test.mailboxes, s.DB.Slots.Changes)
			until(t, func() bool { return locked(t, elsewhere) == waiting })
			for range 20 {
				brief, cancel := context.WithTimeout(t.Context(), 5*time.Second) // an edit waits longer
				defer cancel()
				if _, _, err := s.Service.Send(brief, messaging.AsService, messaging.Draft{Sender: "carol", Recipient: "dan", Text: "again"}); err != nil {
					t.Fatalf("send: %v", err)
				}
				if _, err := s.Service.Get(brief, messaging.AsService, edited[0]); err != nil {
					t.Fatalf("get: %v", err)
				}
				if waiting == s.DB.Slots.Changes {
					continue
				}
				if _, err := s.Service.Edit(brief, messaging.AsService, messaging.ID(other.ID), messaging.Edit{Text: new("edited")}); err != nil {
					t.Fatalf("edit: %v", err)
				}
			}
		})
	}
}

// locked counts the transactions that wait for mailbox locks.
func locked(t *testing.T, database *db.DB) (n int) {
	t.Helper()
	err := database.Read(t.Context(), func(ctx context.Context, q sqlx.QueryerContext) error {
		return sqlx.GetContext(ctx, q, &n, `
			SELECT count(DISTINCT pid) FROM pg_locks
			WHERE NOT granted AND pid IN (SELECT pid FROM pg_locks WHERE relation = 'mailboxes'::regclass)`)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestChangesRefused blocks all writes and makes changes until one is refused with 503 and
// Retry-After; those that were accepted must be stored afterwards.
func TestChangesRefused(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{QueueSize: 3})
		edited, deleted, read := s.Send(t, "alice", "bob", "hello"), s.Send(t, "alice", "bob", "hello"), s.Send(t, "alice", "bob", "hello")
		s.Send(t, "erin", "alice", "hello")
		release := stall(t, s)
		refused := make(chan struct{}, 1)
		var wg sync.WaitGroup
		for _, change := range []struct {
			method, path, body string
			want               int
		}{
			{http.MethodPatch, "/v1/messages/" + edited.ID.String(), `{"text":"edited"}`, http.StatusOK},
			{http.MethodDelete, "/v1/messages/" + deleted.ID.String(), "", http.StatusNoContent},
			{http.MethodPut, "/v1/users/bob/conversations/alice/read-marker", `{"messageId":"` + read.ID.String() + `"}`, http.StatusOK},
			{http.MethodPut, "/v1/users/alice/blocks/mallory", "", http.StatusNoContent},
			{http.MethodDelete, "/v1/users/alice/blocks/trudy", "", http.StatusNoContent},
			{http.MethodDelete, "/v1/users/erin", "", http.StatusNoContent},
		} {
			wg.Go(func() {
				for !t.Failed() {
					answer := s.Do(t, change.method, change.path, strings.NewReader(change.body), "Content-Type: application/json")
					switch {
					case answer.Status == change.want:
						return
					case answer.Status != http.StatusServiceUnavailable || answer.Header.Get("Retry-After") == "" ||
						!strings.Contains(answer.Body, "Too many changes"):
						t.Errorf("%s %s: answered %d: %s", change.method, change.path, answer.Status, answer.Body)
					default:
						select {
						case refused <- struct{}{}:
						default:
						}
					}
				}
			})
		}
		ended := make(chan struct{})
		go func() {
			wg.Wait()
			close(ended)
		}()
		select {
		case <-refused:
		case <-ended:
		}
		release()
		<-ended
	})
}

// TestReadyAmongReads requests /ready while more reads than may run concurrently do not end.
func TestReadyAmongReads(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		end, started := make(chan struct{}), make(chan struct{}, 100)
		var wg sync.WaitGroup
		defer wg.Wait()
		defer close(end)
		for range 100 {
			wg.Go(func() {
				_ = s.DB.Read(t.Context(), func(context.Context, sqlx.QueryerContext) error { // its error, of giving up, is not the test's concern
					started <- struct{}{}
					<-end
					return nil
				})
			})
		}
		for range s.DB.Slots.Reads {
			<-started
		}
		answerIs(t, s, http.MethodGet, "/ready", "", http.StatusOK)
	})
}

// TestReadyToWrite keeps the SQLite file locked by another process: the server must not be ready
// once a send has failed, and must become ready again without another send.
func TestReadyToWrite(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, db.SQLite, messaging.Options{})
	release := stall(t, s)
	body := `{"sender": "alice", "recipient": "bob", "text": "x"}`
	answerIs(t, s, http.MethodPost, "/v1/messages", body, http.StatusServiceUnavailable)
	answerIs(t, s, http.MethodGet, "/ready", "", http.StatusServiceUnavailable)
	release()
	answerIs(t, s, http.MethodGet, "/ready", "", http.StatusOK)
	answerIs(t, s, http.MethodPost, "/v1/messages", body, http.StatusCreated)
}
