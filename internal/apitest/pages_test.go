package apitest_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
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

// fillEdited stores messages to bob that were all edited after the last was sent, and returns
// their number.
func fillEdited(t *testing.T, database *db.DB) int {
	t.Helper()
	const messages = 1000
	id := map[db.Engine]string{
		db.Postgres: "(lpad(to_hex($1::bigint + %s), 12, '0') || '70008000' || lpad(to_hex(i), 12, '0'))::uuid",
		db.SQLite:   "unhex(printf('%%012x70008000%%012x', $1 + %s, i))",
	}[database.Engine]
	err := database.Load(t.Context(), "mailboxes", func(ctx context.Context, tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, fmt.Sprintf(`
			WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < %d - 1)
			INSERT INTO messages (recipient, id, sender, text, changed) SELECT 'bob', %s, 'alice', 'edited', %s FROM n`,
			messages, fmt.Sprintf(id, "0"), fmt.Sprintf(id, "1")), time.Now().Add(-time.Hour).UnixMilli())
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `
			INSERT INTO mailboxes (user_id, clock) SELECT 'bob', changed FROM messages ORDER BY changed DESC LIMIT 1`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return messages
}

// TestFeedOfEdited reads the feed of a user whose messages were all edited: a page scans a bounded
// number of rows and may be empty, but its cursor must advance. A request with wait scans more, but
// not all. A stream must get the first change all the same.
func TestFeedOfEdited(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		messages := fillEdited(t, s.DB)
		for _, limit := range []int32{20, 100} {
			var found []uuid.UUID
			empty := 0
			params := client.ListChangesParams{After: &uuid.UUID{}, Limit: &limit}
			for more := true; more; {
				page := s.Changes(t, "bob", params)
				if more = page.HasMore; more && bytes.Compare(page.Next[:], params.After[:]) <= 0 {
					t.Fatalf("limit %d: it goes on from %s to %s", limit, params.After, page.Next)
				}
				if len(page.Changes) == 0 {
					empty++
				}
				for _, c := range page.Changes {
					found = append(found, c.Cursor)
				}
				params.After = &page.Next
			}
			if len(found) != messages || !slices.IsSortedFunc(found, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) }) {
				t.Errorf("limit %d: %d changes, want %d in order", limit, len(found), messages)
			}
			if empty < 4 { // each scans about 200 rows
				t.Errorf("limit %d: %d empty pages", limit, empty)
			}
		}
		if first := s.Changes(t, "bob", client.ListChangesParams{After: &uuid.UUID{}, Limit: new(int32(1))}); len(first.Changes) > 0 || !first.HasMore {
			t.Errorf("limit 1: %+v", first)
		}
		waited := client.ChangePage{HasMore: true}
		requests := 0
		for ; waited.HasMore && len(waited.Changes) == 0; requests++ {
			waited = s.Changes(t, "bob", client.ListChangesParams{After: &waited.Next, Limit: new(int32(1)), Wait: new(int32(60))})
		}
		if requests != 2 || len(waited.Changes) != 1 || !waited.HasMore { // each scans about 800 of 1,000 rows
			t.Fatalf("waited with %d requests for %+v", requests, waited)
		}
		stream, err := s.Feed.Open(t.Context(), messaging.AsService, "bob", &messaging.ID{})
		if err != nil {
			t.Fatal(err)
		}
		defer stream.Close()
		changes, err := stream.Next(t.Context(), time.Time{})
		if err != nil || len(changes) == 0 || uuid.UUID(changes[0].Cursor) != waited.Changes[0].Cursor {
			t.Errorf("followed %+v, %v", changes, err)
		}
	})
}

// large is a text of the largest possible size in JSON, with a word to search for.
var large = "word " + strings.Repeat("\x01", 4091)

// TestPageBytes walks lists of large messages: each page must end with the entry that passes
// pageMaxBytes, and none may be missing.
func TestPageBytes(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
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

// TestSlowReaders requests 300 large pages concurrently and does not read them: the memory for
// unread responses must be bounded, and other clients served. It measures the heap, so it is not
// parallel.
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
	dialer := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) (err error) { // so that the socket buffers do not hold the whole response
		return errors.Join(raw.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 2048) }), err)
	}}
	for i := range connections {
		conn, err := dialer.DialContext(t.Context(), "tcp", s.Address().String())
		if err != nil {
			t.Fatal(err)
		}
		connections[i] = conn
		if _, err := fmt.Fprint(conn, "GET /v1/messages?recipient=bob HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
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
	until(t, func() bool { return begun.Load() >= 40 })
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

// followLinks counts the pages that Link headers lead to, which are those that the next of each page leads to.
func followLinks(t *testing.T, s *apitest.Server, path string) (pages int) {
	t.Helper()
	for path != "" {
		pages++
		answer := s.Do(t, http.MethodGet, path, nil)
		if answer.Status != http.StatusOK {
			t.Fatalf("%s: %d %s", path, answer.Status, answer.Body)
		}
		link, _, _ := strings.Cut(answer.Header.Get("Link"), "; ")
		path = strings.Trim(link, "<>")
		var page struct{ Next string }
		target, err := url.Parse(path)
		if err = errors.Join(err, json.Unmarshal([]byte(answer.Body), &page)); err != nil {
			t.Fatal(err)
		}
		if cursor := cmp.Or(target.Query().Get("before"), target.Query().Get("after")); page.Next != cursor {
			t.Errorf("the page before %s goes on at %q", path, page.Next)
		}
	}
	return pages
}
