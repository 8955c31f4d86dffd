package messageservice

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/message-service/message-service/gen/client"
)

// cursorAt is the cursor of the n-th change; the 0th is the beginning.
func cursorAt(n int) uuid.UUID { return uuid.UUID{15: byte(n)} }

// ready and change are events as the service sends them.
func ready(n int, retry time.Duration) string {
	return fmt.Sprintf("retry: %d\nid: %s\nevent: ready\ndata: {\"cursor\":\"%[2]s\"}\n\n", retry.Milliseconds(), cursorAt(n))
}

func change(n int) string {
	return fmt.Sprintf("id: %s\nevent: message\ndata: {\"cursor\":\"%[1]s\",\"type\":\"message\",\"message\":{\"text\":\"%d\",\"metadata\":{\"n\":1e400}}}\n\n", cursorAt(n), n)
}

// connection is what a test server does with one connection.
type connection func(t *testing.T, w http.ResponseWriter, r *http.Request)

// says sends text and ends the stream.
func says(text ...string) connection {
	return func(_ *testing.T, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, strings.Join(text, "")) // the client may have left
		_ = http.NewResponseController(w).Flush()
	}
}

// stays sends text and keeps the stream open until the client closes it, with a comment
// every pause unless that is 0.
func stays(pause time.Duration, text ...string) connection {
	return func(t *testing.T, w http.ResponseWriter, r *http.Request) {
		says(text...)(t, w, r)
		for r.Context().Err() == nil {
			if pause == 0 {
				<-r.Context().Done()
				return
			}
			select {
			case <-r.Context().Done():
			case <-time.After(pause):
				says(":\n\n")(t, w, r)
			}
		}
	}
}

// cut sends text and aborts the connection.
func cut(text ...string) connection {
	return func(t *testing.T, w http.ResponseWriter, r *http.Request) {
		says(text...)(t, w, r)
		panic(http.ErrAbortHandler)
	}
}

// refuses answers with a problem document.
func refuses(status int, kind string, header ...string) connection {
	return func(t *testing.T, w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		for _, line := range header {
			name, value, _ := strings.Cut(line, ": ")
			w.Header().Set(name, value)
		}
		w.WriteHeader(status)
		if err := json.NewEncoder(w).Encode(client.Problem{Type: kind, Status: int32(status)}); err != nil {
			t.Error(err)
		}
	}
}

// scripted is a server whose n-th connection does what the n-th entry of a script says.
type scripted struct {
	*httptest.Server

	mu     sync.Mutex
	asked  []string    // the cursor of each request
	tokens []string    // its Authorization
	at     []time.Time // when each came
	open   sync.WaitGroup
}

func serve(t *testing.T, script ...connection) *scripted {
	t.Helper()
	s := &scripted{}
	s.Server = httptest.NewServer(s.plays(t, script))
	t.Cleanup(s.Close)
	return s
}

// plays returns what handles the connections.
func (s *scripted) plays(t *testing.T, script []connection) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		n := len(s.asked)
		s.asked, s.at = append(s.asked, r.URL.Query().Get("after")), append(s.at, time.Now())
		s.tokens = append(s.tokens, r.Header.Get("Authorization"))
		s.mu.Unlock()
		s.open.Add(1)
		defer s.open.Done()
		if r.URL.Path != "/v1/users/bob/changes" || r.Header.Get("Accept") != "text/event-stream" {
			t.Errorf("asked for %s as %s", r.URL, r.Header.Get("Accept"))
		}
		if n >= len(script) {
			t.Error("one connection too many")
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		script[n](t, w, r)
	})
}

// pipes is a network in memory, for a bubble: its clock stands still while a real one is waited for.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	if conn, ok := <-p; ok {
		return conn, nil
	}
	return nil, net.ErrClosed
}

func (p pipes) Close() error   { close(p); return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

func (p pipes) dial(context.Context, string, string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	p <- theirs
	return ours, nil
}

// wantAsked checks the cursor of each request: that of the n-th change, or none if n is -1.
func (s *scripted) wantAsked(t *testing.T, from ...int) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	want := make([]string, len(from))
	for i, n := range from {
		if n >= 0 {
			want[i] = cursorAt(n).String()
		}
	}
	if !slices.Equal(s.asked, want) {
		t.Errorf("the requests had the cursors %q, want %q", s.asked, want)
	}
}

// gap is the time between the n-th request and the next.
func (s *scripted) gap(n int) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at[n+1].Sub(s.at[n])
}

// wantLeft waits until the client has closed every connection.
func (s *scripted) wantLeft(t *testing.T) {
	t.Helper()
	left := make(chan struct{})
	go func() { s.open.Wait(); close(left) }()
	select {
	case <-left:
	case <-time.After(10 * time.Second):
		t.Error("a connection is still open")
		s.CloseClientConnections()
	}
}

// follow follows with short waits until there are that many changes, or an error. It returns
// the texts of the changes.
func (s *scripted) follow(t *testing.T, options *FollowOptions, changes int, token ...client.ClientOption) (texts string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	var all []string
	for change, err := range follow(ctx, newClient(t, s.URL, token...), "bob", options, pace{time.Millisecond, 10 * time.Second, 10 * time.Second}) {
		if err != nil {
			return strings.Join(all, " "), err
		}
		if all = append(all, change.Message.Text); len(all) == changes {
			break
		}
	}
	return strings.Join(all, " "), nil
}
