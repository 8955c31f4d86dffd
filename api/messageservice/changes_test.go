package messageservice

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"github.com/message-service/message-service/gen/client"
)

// TestFollowResumes breaks connections at every point of a stream; each next one resumes after the last event.
func TestFollowResumes(t *testing.T) {
	t.Parallel()
	s := serve(t,
		says(),                                                 // before the first event
		says(ready(1, 0)),                                      // before the first change
		cut(ready(1, 0), change(2), change(3)),                 // after a change
		says(ready(3, 0), change(4)[:60]),                      // in the middle of an event
		cut(ready(3, 0), change(4)[:60]),                       // the same, by an aborted connection
		says(ready(3, 0), change(4)[:100], "\n"),               // in the middle of its data
		says(ready(3, 0), strings.TrimSuffix(change(4), "\n")), // before the empty line that ends an event
		refuses(http.StatusInternalServerError, "x"),
		stays(0, ready(3, 0), change(4), change(5)),
	)
	var readies []uuid.UUID
	var lost []string
	texts, err := s.follow(t, &FollowOptions{
		Ready: func(cursor uuid.UUID) { readies = append(readies, cursor) },
		Lost:  func(err error, _ time.Duration) { lost = append(lost, err.Error()) },
	}, 4)
	if err != nil || texts != "2 3 4 5" {
		t.Errorf("followed %s: %v", texts, err)
	}
	s.wantLeft(t)
	s.wantAsked(t, -1, -1, 1, 3, 3, 3, 3, 3, 3)
	one, three := cursorAt(1), cursorAt(3)
	if !slices.Equal(readies, []uuid.UUID{one, one, three, three, three, three, three}) {
		t.Errorf("ready from %v", readies)
	}
	if len(lost) != 8 || lost[0] != "the stream has ended" || lost[2] != "unexpected EOF" || !strings.HasPrefix(lost[7], "500 ") {
		t.Errorf("lost %q", lost)
	}
}

// TestFollowAfter starts from a cursor whose variable the caller changes afterwards.
func TestFollowAfter(t *testing.T) {
	t.Parallel()
	s := serve(t, says(), stays(0, ready(7, 0), change(8)))
	after := cursorAt(7)
	lost := func(error, time.Duration) { after = cursorAt(1) }
	if texts, err := s.follow(t, &FollowOptions{After: &after, Lost: lost}, 1); err != nil || texts != "8" {
		t.Errorf("followed %s: %v", texts, err)
	}
	s.wantAsked(t, 7, 7)
}

// TestFollowWaits checks that the wait follows the stream's retry or Retry-After, and backs off while attempts fail.
func TestFollowWaits(t *testing.T) {
	t.Parallel()
	unavailable := func(header ...string) connection {
		return refuses(http.StatusServiceUnavailable, ServiceUnavailable, header...)
	}
	s := serve(t,
		says(ready(1, time.Millisecond), change(2), "retry: 300\n\n"), // what a stopping server sends last
		says(ready(2, 100*time.Millisecond)),
		unavailable(),
		unavailable("Retry-After: 1"),
		refuses(http.StatusTooManyRequests, TooManyRequests, "Retry-After: 1"),
		stays(0, ready(2, 0), change(3)),
	)
	var waits []time.Duration
	options := &FollowOptions{Lost: func(_ error, wait time.Duration) { waits = append(waits, wait) }}
	if texts, err := s.follow(t, options, 2); err != nil || texts != "2 3" {
		t.Errorf("followed %s: %v", texts, err)
	}
	for i, least := range []time.Duration{300, 100, 200, 1000, 1000} {
		least *= time.Millisecond
		if waits[i] < least || waits[i] > least*5/4+1 || s.gap(i) < waits[i] {
			t.Errorf("waited %s before connection %d, and it came after %s; want %s and at most a quarter more", waits[i], i+2, s.gap(i), least)
		}
	}
}

// TestFollowGivesUp checks that Follow ends with errors that another attempt would not change.
func TestFollowGivesUp(t *testing.T) {
	t.Parallel()
	ahead := serve(t, says(ready(1, 0), change(2)), refuses(http.StatusUnprocessableEntity, CursorAhead))
	texts, err := ahead.follow(t, nil, 0)
	if problem, ok := errors.AsType[*ProblemError](err); !ok || problem.Type != CursorAhead || texts != "2" {
		t.Errorf("followed %s: %v", texts, err)
	}
	for name, test := range map[string]struct {
		answer connection
		err    string
	}{
		"of a proxy": {func(_ *testing.T, w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "<h1>Forbidden</h1>", http.StatusForbidden)
		}, "answered 403 Forbidden"},
		"a page": {func(_ *testing.T, w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "<h1>Hello</h1>") // may fail, since the client closes the connection
		}, "answered 200 OK without a stream"},
		"no JSON":   {says("id: " + cursorAt(1).String() + "\nevent: message\ndata: <h1>\n\n"), "invalid character"},
		"no cursor": {says("event: message\ndata: {}\n\n"), "cursor"},
		"too long":  {says("data: ", strings.Repeat("x", 5<<20), "\n\n"), "too long"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, test.answer)
			if texts, err := s.follow(t, nil, 0); err == nil || !strings.Contains(err.Error(), test.err) || texts != "" {
				t.Errorf("followed %s: %v, want %s", texts, err, test.err)
			}
			s.wantLeft(t)
		})
	}
}

// TestFollowLong reads an event of more than a megabyte.
func TestFollowLong(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 2<<20)
	s := serve(t, stays(0, ready(1, 0), strings.Replace(change(2), `"text":"2"`, `"text":"`+long+`"`, 1)))
	if texts, err := s.follow(t, nil, 1); err != nil || texts != long {
		t.Errorf("followed %d bytes: %v", len(texts), err)
	}
}

// TestFollowTyping hears who is typing between two changes, and passes over other events without a cursor. None
// of them moves the place where the next connection resumes.
func TestFollowTyping(t *testing.T) {
	t.Parallel()
	const typing = "event: typing\ndata: {\"user\":\"ann\",\"peer\":\"~team-1\",\"expiresAt\":\"2026-11-26T12:00:06Z\"}\n\n"
	const later = "event: presence\ndata: {\"user\":\"ann\"}\n\n"
	s := serve(t, says(ready(1, time.Millisecond), change(2), typing, later), stays(0, ready(2, 0), typing, later, change(3)))
	var heard []Typing
	options := &FollowOptions{Typing: func(typing Typing) { heard = append(heard, typing) }}
	if texts, err := s.follow(t, options, 2); err != nil || texts != "2 3" {
		t.Errorf("followed %s: %v", texts, err)
	}
	s.wantAsked(t, -1, 2)
	want := Typing{User: "ann", Peer: "~team-1", ExpiresAt: time.Date(2026, 11, 26, 12, 0, 6, 0, time.UTC)}
	if !slices.Equal(heard, []Typing{want, want}) {
		t.Errorf("heard %v", heard)
	}
	if texts, err := serve(t, stays(0, ready(1, 0), typing, change(2))).follow(t, nil, 1); err != nil || texts != "2" {
		t.Errorf("followed %s without asking who types: %v", texts, err)
	}
}

// TestFollowSilence closes connections that are silent, and keeps one that is alive by
// its heartbeats (comments), however long the loop takes over a change.
func TestFollowSilence(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const silence = time.Second
		s, network := &scripted{}, make(pipes)
		server := &http.Server{Handler: s.plays(t, []connection{
			func(_ *testing.T, _ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, // never answers
			stays(0, ready(1, 0), change(2)),
			func(t *testing.T, w http.ResponseWriter, r *http.Request) {
				says(ready(2, 0))(t, w, r)
				for range 6 {
					select {
					case <-r.Context().Done():
						t.Error("the client closed a connection that was alive")
					case <-time.After(silence / 4):
						says(":\n\n")(t, w, r)
					}
				}
				stays(silence/4, change(3), change(4))(t, w, r)
			},
		})}
		go server.Serve(network) //nolint:errcheck // it ends when it is closed
		defer server.Close()     //nolint:errcheck // nothing is open
		api := newClient(t, "http://localhost", client.WithHTTPClient(&http.Client{Transport: &http.Transport{DialContext: network.dial}}))
		var lost []string
		options := &FollowOptions{Lost: func(err error, _ time.Duration) { lost = append(lost, err.Error()) }}
		var texts []string
		for change, err := range follow(t.Context(), api, "bob", options, pace{time.Millisecond, silence, silence}) {
			if err != nil {
				t.Fatal(err)
			}
			if texts = append(texts, change.Message.Text); len(texts) == 3 {
				break
			}
			<-time.After(2 * silence)
		}
		if !slices.Equal(texts, []string{"2", "3", "4"}) || !slices.Equal(lost, []string{"silent for 1s", "silent for 1s"}) {
			t.Errorf("followed %s and lost %q", texts, lost)
		}
		s.wantLeft(t)
		s.wantAsked(t, -1, -1, 2)
	})
}

// TestFollowEnds cancels the context while Follow reads, waits, and before it starts.
func TestFollowEnds(t *testing.T) {
	t.Parallel()
	for name, connection := range map[string]connection{
		"reading": stays(0, ready(1, 0), change(2)),
		"waiting": says(ready(1, time.Hour), change(2)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, connection)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			var last error
			for _, err := range Follow(ctx, newClient(t, s.URL), "bob", nil) {
				if last = err; err == nil {
					time.AfterFunc(100*time.Millisecond, cancel)
				}
			}
			if !errors.Is(last, context.Canceled) {
				t.Errorf("ended with %v", last)
			}
			s.wantLeft(t)
		})
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range Follow(ended, newClient(t, "http://127.0.0.1:1"), "bob", nil) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("began with %v", err)
		}
	}
}
