package apitest_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/app"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/feed"
	"github.com/message-service/message-service/internal/messaging"
)

// TestStream follows two users while they send, and resumes from any event.
func TestStream(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		s.Send(t, "alice", "bob", "before")
		alice, bob := startStream(t, s.Client, "alice", nil), startStream(t, s.Client, "bob", &uuid.Nil)
		expect(t, bob, "before")
		both := func(want string) { // before the next change replaces it in the feed
			expect(t, alice, want)
			expect(t, bob, want)
		}
		m := s.Send(t, "alice", "bob", "hello")
		both("hello")
		s.Edit(t, m.ID, client.EditMessageRequest{Text: new("Hello")})
		both("edited Hello")
		s.Read(t, "bob", "alice", m.ID)
		both("bob read alice")
		s.Delete(t, m.ID)
		both("deleted")
		expect(t, startStream(t, s.Client, "bob", &m.ID), "bob read alice", "deleted")
		s.Erase(t, "bob")
		expect(t, alice, "deleted")
	})
}

// TestStreamHeaders checks the headers that proxies and browsers interpret.
func TestStreamHeaders(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, db.SQLite, messaging.Options{})
	for accept, want := range map[string]string{
		"":                                    "application/json",
		"*/*":                                 "application/json",
		"text/event-stream":                   "text/event-stream",
		"text/*":                              "text/event-stream",
		"text/event-stream, application/json": "application/json",
		"text/event-stream, */*;q=0.5":        "text/event-stream",
		"application/json;q=0, text/event-stream": "text/event-stream",
	} {
		answer := s.Do(t, http.MethodHead, "/v1/users/bob/changes", nil, "Accept: "+accept)
		if got := answer.Header.Get("Content-Type"); got != want || answer.Status != http.StatusOK {
			t.Errorf("Accept: %s is answered %d with %s, want %s", accept, answer.Status, got, want)
		}
		if answer.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("Cache-Control is %q", answer.Header.Get("Cache-Control"))
		}
		if want == "text/event-stream" && answer.Header.Get("X-Accel-Buffering") != "no" {
			t.Errorf("X-Accel-Buffering is %q", answer.Header.Get("X-Accel-Buffering"))
		}
	}
	answerIs(t, s, http.MethodGet, "/v1/users/bob/changes", "", http.StatusNotAcceptable, "Accept: text/html")
}

// TestCursors requests changes after cursors that are not in the feed.
func TestCursors(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		early := s.Send(t, "carol", "dave", "not bob's")
		s.Send(t, "alice", "bob", "one")
		late := s.Send(t, "carol", "dave", "not bob's, later")
		path, stream := "/v1/users/bob/changes", "Accept: text/event-stream"
		for _, accept := range []string{"Accept: application/json", stream} {
			answerIs(t, s, http.MethodGet, path+"?after=junk", "", http.StatusBadRequest, accept)
			answerIs(t, s, http.MethodGet, path, "", http.StatusBadRequest, accept, "Last-Event-ID: 7")
			// Ahead of bob's feed: a change could still get a smaller cursor.
			for _, ahead := range []string{late.ID.String(), "ffffffff-ffff-ffff-ffff-ffffffffffff"} {
				for _, where := range []struct {
					query, parameter string
					header           []string
				}{
					{"?after=" + ahead, "after", nil},
					{"?after=" + early.ID.String(), "Last-Event-ID", []string{"Last-Event-ID: " + ahead}},
				} {
					answer := s.Do(t, http.MethodGet, path+where.query, nil, append(where.header, accept)...)
					if answer.Status != http.StatusUnprocessableEntity || !strings.Contains(answer.Body, ":cursor-ahead") ||
						!strings.Contains(answer.Body, `"parameter":"`+where.parameter+`"`) {
						t.Errorf("%s %s is answered %d %s", where.query, where.header, answer.Status, answer.Body)
					}
				}
			}
		}
		// Not ahead: a cursor is a point in time, even one from another feed.
		if got := describe(s.Changes(t, "bob", client.ListChangesParams{After: &early.ID}).Changes); got != "one" {
			t.Errorf("after a cursor of others: %s", got)
		}
		expect(t, startStream(t, s.Client, "bob", &early.ID), "one")
		// Last-Event-ID takes precedence over after.
		if got := s.Changes(t, "bob", client.ListChangesParams{After: &late.ID, LastEventID: &uuid.Nil}); len(got.Changes) != 1 {
			t.Errorf("Last-Event-ID does not count: %+v", got)
		}
	})
}

// TestWait sends requests with wait, which are held until there is a change.
func TestWait(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		start := time.Now()
		first := s.Changes(t, "bob", client.ListChangesParams{Wait: new(int32(60))}) // nothing to wait for
		held := make(chan client.ChangePage)
		for range 3 {
			go func() {
				held <- s.Changes(t, "bob", client.ListChangesParams{After: &first.Next, Wait: new(int32(60))})
			}()
		}
		s.Send(t, "alice", "bob", "hello")
		var last uuid.UUID
		for range 3 {
			page := <-held
			if got := describe(page.Changes); got != "hello" || page.HasMore || page.Next != page.Changes[0].Cursor {
				t.Errorf("the answer is %+v", page)
			}
			last = page.Next
		}
		if took := time.Since(start); took >= time.Minute {
			t.Errorf("it took %s although there was a change", took)
		}
		start = time.Now()
		page := s.Changes(t, "bob", client.ListChangesParams{After: &last, Wait: new(int32(1))})
		if took := time.Since(start); len(page.Changes) > 0 || page.Next != last || took < time.Second {
			t.Errorf("after %s: %+v", took, page)
		}
	})
}

// TestStreamLimits opens as many streams as a user and a server may have, and one more
// each time.
func TestStreamLimits(t *testing.T) {
	t.Parallel()
	s := apitest.StartWith(t, dbtest.NewURL(t, db.SQLite), app.Options{Feed: feed.Options{MaxStreams: feed.UserMaxStreams + 1}})
	var streams []*apitest.Stream
	for range feed.UserMaxStreams {
		streams = append(streams, startStream(t, s.Client, "bob", nil))
	}
	refused := func(path string, header ...string) {
		t.Helper()
		answer := s.Do(t, http.MethodGet, path, nil, header...)
		if answer.Status != http.StatusTooManyRequests || answer.Header.Get("Retry-After") == "" || !strings.Contains(answer.Body, ":too-many-requests") {
			t.Errorf("answered %d with Retry-After %q: %s", answer.Status, answer.Header.Get("Retry-After"), answer.Body)
		}
	}
	refused("/v1/users/bob/changes", "Accept: text/event-stream")
	refused("/v1/users/bob/changes?wait=1&after=" + uuid.Nil.String())
	s.Changes(t, "bob", client.ListChangesParams{}) // holds nothing
	startStream(t, s.Client, "alice", nil)
	refused("/v1/users/carol/changes", "Accept: text/event-stream")
	streams[0].Close()
	until(t, func() bool { // the server notices
		stream, err := s.Follow(t.Context(), t, "bob", nil)
		if err == nil {
			stream.Close()
		} else if !strings.Contains(err.Error(), ":too-many-requests") {
			t.Fatal(err)
		}
		return err == nil
	})
}

// TestStreamsEnd drains a server: streams must end at once with a retry time, held requests
// must be answered, and new streams refused.
func TestStreamsEnd(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, db.SQLite, messaging.Options{})
	stream := startStream(t, s.Client, "bob", nil)
	held := make(chan client.ChangePage)
	go func() { held <- s.Changes(t, "bob", client.ListChangesParams{After: &uuid.Nil, Wait: new(int32(60))}) }()
	until(t, func() bool { return s.Feed.Streams() == 2 }) // the held request has arrived
	s.Feed.Drain()
	if _, err := stream.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("the stream ended with %v", err)
	}
	answerIs(t, s, http.MethodGet, "/v1/users/bob/changes", "", http.StatusServiceUnavailable, "Accept: text/event-stream")
	if page := <-held; len(page.Changes) > 0 || page.Next != uuid.Nil {
		t.Errorf("the held request is answered %+v", page)
	}
}
