package main

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
)

// TestProtocolUnreadBodies opens streams whose requests have a body that nobody asked for: over one
// connection, as of a proxy, they leave room for the bodies of other requests.
func TestProtocolUnreadBodies(t *testing.T) {
	t.Parallel()
	s := serveProtocol(t, "HTTP/2 without TLS", apitest.NewDatabaseURL(t, db.SQLite))
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
