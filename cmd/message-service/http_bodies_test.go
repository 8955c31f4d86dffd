package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// TestProtocolUnreadBodies opens streams by requests with a body that the server does not read: on one
// HTTP/2 connection, as of a proxy, they must not use up the flow-control window of other requests.
func TestProtocolUnreadBodies(t *testing.T) {
	t.Parallel()
	s := serveProtocol(t, "HTTP/2 without TLS", dbtest.NewURL(t, db.SQLite))
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	ask := func(method, path, body, accept string) (status int) {
		t.Helper()
		request, err := http.NewRequestWithContext(ctx, method, s.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Accept", accept)
		request.Header.Set("Content-Type", "application/json")
		response, err := s.HTTP.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = response.Body.Close() })
		return response.StatusCode
	}
	for i := range 8 {
		ask("GET", fmt.Sprintf("/v1/users/user-%d/changes", i), strings.Repeat(" ", 64<<10), "text/event-stream")
	}
	text := strings.Repeat("x", 4096)
	for range 8 {
		if sent := ask("POST", "/v1/messages", `{"sender":"alice","recipient":"bob","text":"`+text+`"}`, "*/*"); sent != http.StatusCreated {
			t.Errorf("a send was answered %d", sent)
		}
	}
}

// TestShutdownTimeout stops a server while a client has sent half a request: the server must wait no
// longer than the timeout, and its error must be about that request alone.
func TestShutdownTimeout(t *testing.T) {
	t.Parallel()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	address, out, log, ended := freeAddress(t), make(greeting, 100), make(lines, 100), make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"--listen-address", address, "--database-url", dbtest.NewURL(t, db.SQLite), "--shutdown-timeout=100ms", "--log-level=warn"},
			streams{out, log})
	}()
	select {
	case <-out: // before, it listens for a moment to see whether it can, and resets a connection
	case code := <-ended:
		t.Fatalf("exit %d: %s", code, log.next(t))
	}
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // the test is over
	// The 100 Continue shows that the handler is reading the body.
	fmt.Fprint(conn, "POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 10\r\nExpect: 100-continue\r\n\r\n")
	if n, err := conn.Read(make([]byte, 100)); n == 0 {
		t.Fatal(err)
	}
	stop()
	if code := <-ended; code != 1 {
		t.Errorf("exit %d", code)
	}
	if line := log.next(t); !strings.Contains(line, "longer than 100ms") || strings.Contains(line, "streams") {
		t.Error(line)
	}
}
