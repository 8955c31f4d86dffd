package apitest_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/app"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/httpapi"
	"github.com/message-service/message-service/internal/messaging"
)

const webApp = "https://app.example.org"

// sharing starts a server whose CORS origins are webApp and another port of this machine.
func sharing(t *testing.T, engine db.Engine) *apitest.Server {
	t.Helper()
	return apitest.StartWith(t, dbtest.NewURL(t, engine), app.Options{
		API: httpapi.Options{CORSOrigins: []string{webApp, "http://localhost:5173"}},
	})
}

// TestCORS sends requests of every kind from an allowed origin: the page must be able to read the
// responses, including errors, and none may allow credentials.
func TestCORS(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := sharing(t, engine)
		const crossSite, json, body = "Sec-Fetch-Site: cross-site", "Content-Type: application/json", `{"sender": "alice", "recipient": "bob", "text": "hello"}`
		for _, request := range []struct {
			method, path, body string
			status             int
			header             []string
		}{
			{http.MethodPost, "/v1/messages", body, 201, []string{json, "Idempotency-Key: 1"}},
			{http.MethodGet, "/v1/messages?recipient=bob&limit=1", "", 200, nil},
			{http.MethodHead, "/v1/users/bob/changes", "", 200, []string{"Accept: text/event-stream"}},
			{http.MethodGet, "/v1/users/bob/export", "", 200, nil},
			{http.MethodDelete, "/v1/users/bob/blocks/alice", "", 204, nil},
			{http.MethodGet, "/openapi.json", "", 200, nil},
			{http.MethodOptions, "/v1/messages", "", 204, nil}, // no preflight
			{http.MethodPost, "/v1/messages", "{", 400, []string{json}},
			{http.MethodPost, "/v1/messages", "{}", 422, []string{json}},
			{http.MethodGet, "/v1/messages/01a20846-ff6e-7a53-9c1e-3c8a1e7d9b42", "", 404, nil},
			{http.MethodGet, "/nowhere", "", 404, nil},
			{http.MethodPut, "/v1/messages", "", 405, nil},
			{http.MethodGet, "/v1/messages", "", 421, []string{"Host: example.org"}},
			{http.MethodGet, "/v1/messages", "", 403, []string{"Via: 1.1 proxy"}},
		} {
			answer := s.Do(t, request.method, request.path, strings.NewReader(request.body), append(request.header, "Origin: "+webApp, crossSite)...)
			exposed := strings.Split(answer.Header.Get("Access-Control-Expose-Headers"), ", ")
			for _, name := range []string{"Link", "Location", "Idempotent-Replayed", "Retry-After", "RateLimit", "RateLimit-Policy", "WWW-Authenticate", "X-Request-Id", "Allow"} {
				if !slices.Contains(exposed, name) {
					t.Errorf("%s %s does not expose %s: %s", request.method, request.path, name, exposed)
				}
			}
			if answer.Status != request.status || answer.Header.Get("Access-Control-Allow-Origin") != webApp ||
				answer.Header.Get("Vary") != "Origin" || answer.Header.Get("Access-Control-Allow-Credentials") != "" {
				t.Errorf("%s %s: answered %d, want %d, with %v", request.method, request.path, answer.Status, request.status, answer.Header)
			}
		}
		s.API.Drain()
		answer := s.Do(t, http.MethodGet, "/ready", nil, "Origin: "+webApp, crossSite)
		if answer.Status != http.StatusServiceUnavailable || answer.Header.Get("Access-Control-Allow-Origin") != webApp {
			t.Errorf("/ready: %d with %v", answer.Status, answer.Header)
		}
	})
}

// TestCORSStream follows a stream from an allowed origin.
func TestCORSStream(t *testing.T) {
	t.Parallel()
	s := sharing(t, db.SQLite)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/v1/users/bob/changes", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header = http.Header{"Accept": {"text/event-stream"}, "Origin": {webApp}, "Sec-Fetch-Site": {"cross-site"}}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	if response.Body.Close() != nil || response.StatusCode != http.StatusOK || response.Header.Get("Access-Control-Allow-Origin") != webApp || response.Header.Get("Vary") != "Origin" {
		t.Errorf("the stream is answered %s with %v", response.Status, response.Header)
	}
}

// TestPreflight sends preflight requests of allowed and other origins.
func TestPreflight(t *testing.T) {
	t.Parallel()
	s := sharing(t, db.SQLite)
	closed := apitest.Start(t, db.SQLite, messaging.Options{})
	preflight := func(s *apitest.Server, origin string) apitest.Answer {
		t.Helper()
		return s.Do(t, http.MethodOptions, "/v1/messages", nil, "Origin: "+origin, "Sec-Fetch-Site: cross-site",
			"Access-Control-Request-Method: POST", "Access-Control-Request-Headers: authorization,content-type,idempotency-key")
	}
	for _, origin := range []string{webApp, "http://localhost:5173"} {
		answer := preflight(s, origin)
		want := http.Header{
			"Access-Control-Allow-Origin":  {origin},
			"Access-Control-Allow-Methods": {"DELETE, GET, HEAD, PATCH, POST, PUT"},
			"Access-Control-Allow-Headers": {"Authorization, Content-Type, Idempotency-Key, Last-Event-ID, X-Request-Id"},
			"Access-Control-Max-Age":       {"7200"},
			"Vary":                         {"Origin"},
		}
		for name, value := range want {
			if !slices.Equal(answer.Header[name], value) {
				t.Errorf("%s: %q, want %q", name, answer.Header[name], value)
			}
		}
		if answer.Status != http.StatusNoContent || answer.Header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("answered %d with %v", answer.Status, answer.Header)
		}
	}
	for origin, s := range map[string]*apitest.Server{
		"http://app.example.org": s, "https://app.example.org:8443": s, "https://app.example.org.evil.example": s, "https://evil.example": s,
		"null": s, "HTTPS://APP.EXAMPLE.ORG": s, "http://localhost:5174": s, webApp: closed,
	} {
		answers := []apitest.Answer{preflight(s, origin), s.Do(t, http.MethodGet, "/v1/limits", nil, "Origin: "+origin, "Sec-Fetch-Site: cross-site")}
		for _, answer := range answers {
			if answer.Status != http.StatusForbidden || answer.Header.Get("Access-Control-Allow-Origin") != "" || (answer.Header.Get("Vary") == "Origin") == (s == closed) ||
				!strings.Contains(answer.Body, "CORS_ORIGINS") {
				t.Errorf("%s: answered %d with %v: %s", origin, answer.Status, answer.Header, answer.Body)
			}
		}
	}
	// A request without Origin, as for an image, gets no CORS headers.
	answerIs(t, s, http.MethodGet, "/v1/limits", "", http.StatusForbidden, "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: no-cors")
	if answer := s.Do(t, http.MethodGet, "/v1/limits", nil); answer.Status != http.StatusOK || answer.Header.Get("Vary") != "Origin" {
		t.Errorf("a program is answered %d with %v", answer.Status, answer.Header)
	}
}
