package httpapi

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/message-service/message-service/internal/feed"
	"github.com/message-service/message-service/internal/messaging"
)

// answerTimeout is the server's WriteTimeout, which does not apply to streams.
const answerTimeout = 40 * time.Second

// overProtocols runs a test over each protocol, in a synctest bubble, against net/http with the server of
// this package, the hub and a client. The connections are net.Pipes, which do not buffer.
func overProtocols(t *testing.T, test func(t *testing.T, s *streamServer)) {
	t.Helper()
	t.Parallel()
	for _, protocol := range []string{"HTTP/1.1", "HTTP/1.1 over TLS", "HTTP/2 over TLS", "HTTP/2 without TLS"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				s := startStreamServer(t, protocol)
				defer s.stop(t)
				test(t, s)
			})
		})
	}
}

// streamServer serves the feed of the user bob.
type streamServer struct {
	mailbox

	bus    feed.Local
	hub    *feed.Hub
	log    strings.Builder // read it only when all goroutines are blocked
	http   *httptest.Server
	client *http.Client
	pipes  pipes
}

func startStreamServer(t *testing.T, protocol string) *streamServer {
	t.Helper()
	s := &streamServer{pipes: pipes{accept: make(chan net.Conn), closed: make(chan struct{})}}
	log := slog.New(slog.NewTextHandler(&s.log, &slog.HandlerOptions{Level: slog.LevelInfo}))
	s.hub = feed.Start(&s.mailbox, &s.bus, slog.New(slog.DiscardHandler), feed.Options{})
	api, err := New(new(messaging.Service), s.hub, nil, log, Options{AllowUnauthenticated: true})
	if err != nil {
		t.Fatal(err)
	}
	s.http = &httptest.Server{Listener: &s.pipes, Config: &http.Server{Handler: api, ReadTimeout: 15 * time.Second, WriteTimeout: answerTimeout, Protocols: new(http.Protocols)}}
	h2, encrypted := strings.HasPrefix(protocol, "HTTP/2"), strings.HasSuffix(protocol, "over TLS")
	s.http.EnableHTTP2 = h2
	s.http.Config.Protocols.SetHTTP1(!h2)
	s.http.Config.Protocols.SetHTTP2(h2 && encrypted)
	s.http.Config.Protocols.SetUnencryptedHTTP2(h2 && !encrypted)
	if encrypted {
		s.http.StartTLS()
	} else {
		s.http.Start()
	}
	s.client = s.http.Client()
	transport := s.client.Transport.(*http.Transport)
	transport.Protocols = s.http.Config.Protocols
	transport.HTTP2 = &http.HTTP2Config{MaxReceiveBufferPerStream: 64 << 10} // the flow-control window of an unread stream
	transport.DialContext = s.pipes.dial
	synctest.Wait() // until the bus is connected
	return s
}

// stop stops the server as the program does, and fails if a stream does not end.
func (s *streamServer) stop(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	if err := s.hub.End(ctx); err != nil {
		t.Error(err)
	}
	s.client.CloseIdleConnections()
	s.http.Close()
	s.hub.Close()
	s.pipes.open.Wait() // a connection of TLS closes last: it says goodbye to a client that may not read
}

// publish stores a message for bob and publishes the change.
func (s *streamServer) publish(text string) {
	s.add(text)
	s.bus.Publish([]string{"bob"}, nil)
}

// follow opens bob's stream after a cursor, or from the beginning, and reads its first event.
func (s *streamServer) follow(t *testing.T, after string) *streamReader {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.http.URL+"/v1/users/bob/changes", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", eventStream)
	request.Header.Set("Last-Event-ID", after)
	response, err := s.client.Do(request) //nolint:bodyclose // it lasts until the server stops
	if err != nil {
		t.Fatal(err)
	}
	r := &streamReader{body: response.Body, lines: bufio.NewReader(response.Body), last: after}
	ready, err := r.next()
	if err != nil || !strings.Contains(ready, "event: ready") {
		t.Fatalf("answered %s: %q: %v", response.Status, ready, err)
	}
	if retry := r.retry(ready); retry < minRetry || retry > maxRetry {
		t.Errorf("it asks to come back after %s", retry)
	}
	return r
}

// streamReader reads a stream as it is written.
type streamReader struct {
	body  io.ReadCloser
	lines *bufio.Reader
	last  string // cursor of an event that was complete
}

// next returns the lines up to the next blank line.
func (r *streamReader) next() (block string, err error) {
	last := r.last
	for {
		line, err := r.lines.ReadString('\n')
		if err != nil {
			return block, err
		}
		if line == "\n" {
			r.last = last
			return block, nil
		}
		block += line
		if id, ok := strings.CutPrefix(line, "id: "); ok {
			last = strings.TrimSpace(id)
		}
	}
}

// texts reads events until it has got the wanted messages, and returns how many it got before the stream
// ended. It skips comments.
func (r *streamReader) texts(t *testing.T, want []string) int {
	t.Helper()
	for n := 0; n < len(want); {
		block, err := r.next()
		if err != nil {
			return n
		}
		if block == ":\n" {
			continue
		}
		if !strings.Contains(block, `"text":"`+want[n]+`"`) {
			t.Fatalf("event %d is %.200q", n, block)
		}
		n++
	}
	return len(want)
}

// retry returns the reconnection time in a block.
func (*streamReader) retry(block string) time.Duration {
	var ms int
	for line := range strings.Lines(block) {
		_, _ = fmt.Sscanf(line, "retry: %d", &ms)
	}
	return time.Duration(ms) * time.Millisecond
}

// zero is the cursor of the beginning.
var zero = messaging.ID{}.String()

// mailbox is bob's feed in memory; it replaces the database.
type mailbox struct {
	feed.Source

	mu      sync.Mutex
	changes []messaging.Change
	failure error
}

func (m *mailbox) add(text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	id := messaging.ID{6: 7 << 4, 8: 2 << 6} // as a UUID of version 7
	binary.BigEndian.PutUint32(id[:], uint32(len(m.changes)+1))
	m.changes = append(m.changes, messaging.Change{Cursor: id, Message: &messaging.Message{ID: id, Sender: "alice", Recipient: "bob", Text: text}})
}

func (m *mailbox) fail(failure error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.failure = failure
}

// ListChanges returns a page of the feed.
func (m *mailbox) ListChanges(_ context.Context, _ messaging.Caller, _ string, after *messaging.ID, limit, maxBytes int) (page messaging.ChangePage, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.changes) > 0 {
		page.Next = m.changes[len(m.changes)-1].Cursor
	}
	bytes := 0
	for _, c := range m.changes {
		if after == nil || c.Cursor.Compare(*after) <= 0 {
			continue
		}
		page.Changes = append(page.Changes, c)
		if bytes += len(c.Message.Text); len(page.Changes) == limit || bytes > maxBytes {
			page.HasMore, page.Next = c.Cursor != page.Next, c.Cursor
			break
		}
	}
	return page, m.failure
}

// ListChangesOf returns a page of the feed.
func (m *mailbox) ListChangesOf(ctx context.Context, after map[string]messaging.ID, limit, maxBytes int) (map[string]messaging.ChangePage, error) {
	page, err := m.ListChanges(ctx, messaging.AsService, "bob", new(after["bob"]), limit, maxBytes)
	return map[string]messaging.ChangePage{"bob": page}, err
}

// Positions returns the cursor of now.
func (m *mailbox) Positions(ctx context.Context, _ []string) (map[string]messaging.Position, error) {
	page, err := m.ListChanges(ctx, messaging.AsService, "bob", nil, 1, 1)
	return map[string]messaging.Position{"bob": {Clock: page.Next}}, err
}
