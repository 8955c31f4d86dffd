package apitest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/messaging"
)

// TestEditsWait edits a message again and again by many at once, while somebody else sends:
// the sends take turns with the edits, and do not wait for all of them.
func TestEditsWait(t *testing.T) {
	apitest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		m := s.Send(t, "alice", "bob", "hello")
		ctx, stop := context.WithCancel(t.Context())
		var edits atomic.Int64
		var wg sync.WaitGroup
		const editors, sends = 200, 20
		for i := range editors {
			wg.Go(func() {
				for ctx.Err() == nil {
					_, err := s.Service.Edit(ctx, messaging.ID(m.ID), messaging.Edit{Text: new(fmt.Sprint(i))})
					if err == nil {
						edits.Add(1)
					} else if ctx.Err() == nil {
						t.Errorf("edit: %v", err)
						return
					}
				}
			})
		}
		for edits.Load() == 0 && !t.Failed() {
			runtime.Gosched()
		}
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

// TestEditsHoldNothing edits a message whose mailbox is locked elsewhere, by more than there
// are connections: others send, read and edit meanwhile. (The lock of SQLite is that of all.)
func TestEditsHoldNothing(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, db.Postgres, messaging.Options{})
	m, other := s.Send(t, "alice", "bob", "hello"), s.Send(t, "carol", "dan", "hello")
	release := s.Stall(t)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer release()
	for i := range 30 {
		wg.Go(func() { s.Edit(t, m.ID, client.EditMessageRequest{Text: new(fmt.Sprint(i))}) })
	}
	brief, cancel := context.WithTimeout(t.Context(), 5*time.Second) // an edit waits longer
	defer cancel()
	for locked, elsewhere := false, apitest.Open(t, s.DatabaseURL); !locked && !t.Failed(); {
		err := elsewhere.Read(t.Context(), func(ctx context.Context, q sqlx.QueryerContext) error {
			return sqlx.GetContext(ctx, q, &locked, "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database())")
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for range 20 {
		if _, _, err := s.Service.Send(brief, messaging.Draft{Sender: "carol", Recipient: "dan", Text: "again"}); err != nil {
			t.Fatalf("send: %v", err)
		}
		if _, err := s.Service.Edit(brief, messaging.ID(other.ID), messaging.Edit{Text: new("edited")}); err != nil {
			t.Fatalf("edit: %v", err)
		}
		if _, err := s.Service.Get(brief, messaging.ID(m.ID)); err != nil {
			t.Fatalf("get: %v", err)
		}
	}
}

// TestChangesRefused makes changes of a server that cannot store anything until one is
// refused, with 503 and Retry-After; those it has taken are stored afterwards.
func TestChangesRefused(t *testing.T) {
	apitest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{QueueSize: 3})
		edited, deleted, read := s.Send(t, "alice", "bob", "hello"), s.Send(t, "alice", "bob", "hello"), s.Send(t, "alice", "bob", "hello")
		s.Send(t, "erin", "alice", "hello")
		release := s.Stall(t)
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

// TestReadyAmongReads asks whether the server is ready while more reads than may run at a
// time do not end.
func TestReadyAmongReads(t *testing.T) {
	apitest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		end, started := make(chan struct{}), make(chan struct{}, 100)
		var wg sync.WaitGroup
		defer wg.Wait()
		defer close(end)
		for range 100 {
			wg.Go(func() {
				_ = s.DB.Read(t.Context(), func(context.Context, sqlx.QueryerContext) error { // or it gave up
					started <- struct{}{}
					<-end
					return nil
				})
			})
		}
		<-started
		brief, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		for s.DB.Read(brief, func(context.Context, sqlx.QueryerContext) error { return nil }) == nil {
			runtime.Gosched() // there still is a turn
		}
		answerIs(t, s, http.MethodGet, "/ready", "", http.StatusOK)
	})
}

// large is a text that takes as much of JSON as any can, and has a word.
var large = "word " + strings.Repeat("\x01", 4091)

// TestPageBytes walks lists of large messages: each page ends with the one that passes
// pageMaxBytes, and nothing is missed.
func TestPageBytes(t *testing.T) {
	apitest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		const messages = 50
		var wg sync.WaitGroup
		for i := range messages {
			wg.Go(func() { s.Send(t, fmt.Sprint("peer-", i), "bob", large) })
			wg.Go(func() { s.Send(t, "alice", "carol", large) })
		}
		wg.Wait()
		for path, member := range map[string]string{
			"/v1/messages?recipient=bob":                                                  "messages",
			"/v1/messages?recipient=bob&q=word":                                           "messages",
			"/v1/messages?sender=alice&after=00000000-0000-0000-0000-000000000000":        "messages",
			"/v1/users/carol/conversations/alice/messages":                                "messages",
			"/v1/users/bob/conversations":                                                 "conversations",
			"/v1/users/bob/changes?after=00000000-0000-0000-0000-000000000000":            "changes",
			"/v1/users/carol/changes?after=00000000-0000-0000-0000-000000000000&limit=40": "changes",
		} {
			seen := map[string]bool{}
			for next := path; next != ""; {
				answer := s.Do(t, http.MethodGet, next, nil)
				var page map[string]json.RawMessage
				var entries []json.RawMessage
				if err := errors.Join(json.Unmarshal([]byte(answer.Body), &page), json.Unmarshal(page[member], &entries)); err != nil {
					t.Fatalf("%s: %v", next, err)
				}
				hasMore := string(page["hasMore"]) == "true"
				if hasMore && len(answer.Body) < messaging.PageMaxBytes {
					t.Errorf("%s has %d bytes, and more", next, len(answer.Body))
				}
				if last := entries[len(entries)-1]; len(answer.Body)-len(last) > messaging.PageMaxBytes+4096 {
					t.Errorf("%s has %d bytes, and %d before its last entry", next, len(answer.Body), len(answer.Body)-len(last))
				}
				for _, entry := range entries {
					if seen[string(entry)] {
						t.Errorf("%s: twice %.100s", next, entry)
					}
					seen[string(entry)] = true
				}
				link, _, _ := strings.Cut(answer.Header.Get("Link"), ";")
				next = strings.Trim(link, "<>")
				if hasMore != (next != "") {
					t.Errorf("%s: hasMore is %v, and Link %q", path, hasMore, next)
				}
			}
			if len(seen) != messages {
				t.Errorf("%s has %d entries, want %d", path, len(seen), messages)
			}
		}
		if records := s.Export(t, "bob"); len(records) != messages {
			t.Errorf("exported %d records", len(records))
		}
	})
}

// TestSlowReaders asks for large pages and does not read them, 300 times at once: what waits
// to be read is bounded, and others are served. It measures the heap, and so runs alone.
func TestSlowReaders(t *testing.T) {
	s := apitest.Start(t, db.SQLite, messaging.Options{})
	var wg sync.WaitGroup
	for range 100 {
		wg.Go(func() { s.Send(t, "alice", "bob", large) })
	}
	wg.Wait()
	small := s.Send(t, "carol", "dan", "hello")
	heap := func() uint64 {
		var stats runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&stats)
		return stats.HeapAlloc
	}
	before := heap()
	const readers = 300
	var begun, refused atomic.Int64
	connections := make([]net.Conn, readers)
	dialer := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) (err error) { // so that the kernel does not take it all
		return errors.Join(raw.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 2048) }), err)
	}}
	for i := range connections {
		conn, err := dialer.DialContext(t.Context(), "tcp", s.HTTP.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		connections[i] = conn
		fmt.Fprint(conn, "GET /v1/messages?recipient=bob HTTP/1.1\r\nHost: localhost\r\n\r\n")
		wg.Go(func() {
			begin := make([]byte, len("HTTP/1.1 200"))
			switch _, err := io.ReadFull(conn, begin); {
			case err != nil: // closed, while it waits
			case string(begin) == "HTTP/1.1 200":
				begun.Add(1)
			case string(begin) == "HTTP/1.1 503":
				refused.Add(1)
			default:
				t.Errorf("answered %q", begin)
			}
		})
	}
	for begun.Load() < 40 && !t.Failed() {
		runtime.Gosched()
	}
	var most uint64
	for i := range 20 {
		most = max(most, heap()-before)
		s.Send(t, "carol", "dan", fmt.Sprint(i))
		if page := s.List(t, client.ListMessagesParams{Recipient: new("dan")}); page.Messages[len(page.Messages)-1].ID != small.ID {
			t.Errorf("listed %+v", page)
		}
	}
	t.Logf("%d of %d are answered, %d refused, and the heap has grown by at most %d MiB", begun.Load(), readers, refused.Load(), most>>20)
	if most > 100<<20 {
		t.Errorf("the heap has grown by %d MiB", most>>20)
	}
	for _, conn := range connections {
		_ = conn.Close()
	}
	wg.Wait()
}
