package apitest_test

import (
	"net/http"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/app"
	"github.com/message-service/message-service/internal/contract"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/httpapi"
	"github.com/message-service/message-service/internal/messaging"
	"github.com/message-service/message-service/internal/ratelimit"
)

func TestHealthAndReadiness(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		health := apitest.Call(s.GetHealthWithResponse(t.Context())).Must(t, http.StatusOK)
		if string(health.Body) != "UP\n" {
			t.Errorf("health: %q", health.Body)
		}
		ready := apitest.Call(s.GetReadinessWithResponse(t.Context())).Must(t, http.StatusOK)
		if string(ready.Body) != "READY\n" {
			t.Errorf("ready: %q", ready.Body)
		}
		for path, want := range map[string]int{"/health": 200, "/ready": 200, "/v1/messages": 200, "/v1/messages/junk": 400, "/docs/": 200, "/openapi.yaml": 200} {
			if head := s.Do(t, http.MethodHead, path, nil); head.Status != want || head.Body != "" {
				t.Errorf("HEAD %s: %d %q", path, head.Status, head.Body)
			}
		}
		s.API.Drain()
		apitest.Call(s.GetReadinessWithResponse(t.Context())).Must(t, http.StatusServiceUnavailable)
		s.Send(t, "alice", "bob", "still served")
	})
}

// TestLimits checks that values of exactly the advertised limits are accepted. TestBadInput
// has values that exceed them by one.
func TestLimits(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		answer := apitest.Call(s.GetLimitsWithResponse(t.Context())).Must(t, http.StatusOK)
		limits := *answer.JSON200
		if want := (client.Limits{
			UserIDMaxLength: 128, TextMaxLength: 4096, MetadataMaxBytes: 4096, MetadataMaxDepth: 30,
			IdempotencyKeyMaxLength: 255, PageMaxMessages: 100, PageMaxBytes: 524288, DefaultWindowDays: 30, RequestMaxBytes: 65536,
			UserMaxStreams: 10, GroupMaxMembers: 1000, UserMaxGroups: 1000, RateLimits: []client.RateLimit{},
		}); !reflect.DeepEqual(limits, want) {
			t.Errorf("limits are %+v", limits)
		}
		longest := client.SendMessageRequest{
			Sender:    strings.Repeat("a", int(limits.UserIDMaxLength)),
			Recipient: strings.Repeat("b", int(limits.UserIDMaxLength)),
			Text:      strings.Repeat("😀", int(limits.TextMaxLength)),
		}
		if sent := sendKeyed(t, s, strings.Repeat("k", int(limits.IdempotencyKeyMaxLength)), longest); sent.JSON201 == nil {
			t.Errorf("longest of all: %s", sent.Body)
		}
		if page := s.List(t, client.ListMessagesParams{Recipient: &longest.Recipient, Sender: &longest.Sender}); len(page.Messages) != 1 {
			t.Errorf("listed %d messages", len(page.Messages))
		}
	})
}

// TestRateLimitsAreShown reads the rate limits, without a credential: those that are not off.
func TestRateLimitsAreShown(t *testing.T) {
	s := apitest.StartWith(t, dbtest.NewURL(t, db.SQLite), app.Options{API: httpapi.Options{Authenticate: true, RateLimits: httpapi.RateLimits{
		Send: ratelimit.Limit{Requests: 300, Window: time.Minute}, Search: ratelimit.Limit{Requests: 5, Window: time.Hour},
		Failed: ratelimit.Limit{Requests: 60, Window: time.Second},
	}}})
	want := []client.RateLimit{{Name: "send", Requests: 300, Seconds: 60}, {Name: "search", Requests: 5, Seconds: 3600}, {Name: "failed", Requests: 60, Seconds: 1}}
	if got := apitest.Call(s.With("").GetLimitsWithResponse(t.Context())).Must(t, http.StatusOK).JSON200.RateLimits; !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestRequestID(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		for given, kept := range map[string]bool{
			"abc.DEF_1-2": true, strings.Repeat("x", 64): true,
			"": false, strings.Repeat("x", 65): false, "a b": false, "a/b": false, "é": false, `"><script>`: false,
		} {
			answer := s.Do(t, http.MethodGet, "/v1/limits", nil, "X-Request-Id: "+given)
			if id := answer.Header.Get("X-Request-Id"); (id == given) != kept || id == "" {
				t.Errorf("sent %q, answered %q", given, id)
			}
		}
	})
}

// TestDocumentation checks the served contract and the documentation pages.
func TestDocumentation(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		file, err := os.ReadFile("../../api/openapi.yaml")
		if err != nil {
			t.Fatal(err)
		}
		answer := s.Do(t, http.MethodGet, "/openapi.yaml", nil)
		if answer.Status != http.StatusOK || answer.Body != strings.Replace(string(file), "\n  - url: /\n", "\n  - url: "+s.URL+"\n", 1) {
			t.Errorf("/openapi.yaml is not the file: %d, %d bytes", answer.Status, len(answer.Body))
		}
		answer = s.Do(t, http.MethodGet, "/openapi.json", nil)
		if answer.Status != http.StatusOK || !strings.Contains(answer.Body, `"operationId":"sendMessage"`) || strings.Contains(answer.Body, "x-go-") {
			t.Errorf("/openapi.json: %d %.200s", answer.Status, answer.Body)
		}
		for _, path := range []string{"/", "/docs"} {
			answer := s.Do(t, http.MethodGet, path, nil)
			if answer.Status != http.StatusFound || answer.Header.Get("Location") != "/docs/" {
				t.Errorf("%s: %d to %q", path, answer.Status, answer.Header.Get("Location"))
			}
		}
		answer = s.Do(t, http.MethodGet, "/docs/", nil)
		policy := answer.Header.Get("Content-Security-Policy")
		if !strings.Contains(policy, "script-src 'self';") || !strings.Contains(policy, "default-src 'none'") {
			t.Errorf("Content-Security-Policy: %s", policy)
		}
		references := regexp.MustCompile(`(?:src|href)="([^"/][^"]*)"`).FindAllStringSubmatch(answer.Body, -1)
		if len(references) < 4 {
			t.Errorf("the page refers to %v", references)
		}
		for _, reference := range references {
			answer := s.Do(t, http.MethodGet, "/docs/"+reference[1], nil)
			if answer.Status != http.StatusOK || len(answer.Body) == 0 {
				t.Errorf("%s: %d, %d bytes", reference[1], answer.Status, len(answer.Body))
			}
		}
		if strings.Contains(answer.Body, "<script>") {
			t.Error("the page has an inline script, which its policy forbids")
		}
		for _, path := range []string{"/docs/nothing.js", "/docs/page", "/docs/page/"} {
			answer = s.Do(t, http.MethodGet, path, nil)
			if answer.Status != http.StatusNotFound || answer.Header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("%s, which is no file: %d %s", path, answer.Status, answer.Body)
			}
		}
	})
}

// TestServedServer checks the server URL in the served contract, which must not be derived from
// headers that can be forged or from an invalid Host.
func TestServedServer(t *testing.T) {
	t.Parallel()
	const publicURL = "https://chat.example.org"
	local, open := apitest.Start(t, db.SQLite, messaging.Options{}), startPublic(t)
	public := apitest.StartWith(t, dbtest.NewURL(t, db.SQLite), app.Options{API: httpapi.Options{AllowUnauthenticated: true, PublicURL: publicURL}})
	for name, test := range map[string]struct {
		server *apitest.Server
		want   string
		header []string
	}{
		"on this machine":        {local, local.URL, nil},
		"by another name":        {local, "http://localhost:80", []string{"Host: LOCALHOST:80"}},
		"by a version 6 address": {local, "http://[::1]:8080", []string{"Host: [::1]:8080"}},
		"on a network":           {open, "http://chat.lan", []string{"Host: chat.lan"}},
		"behind TLS":             {open, "https://chat.example.org", []string{"Host: chat.example.org", "X-Forwarded-Proto: https"}},
		"an odd scheme":          {open, "http://chat.example.org", []string{"Host: chat.example.org", "X-Forwarded-Proto: gopher://"}},
		"another host":           {open, "http://chat.example.org", []string{"Host: chat.example.org", "X-Forwarded-Host: evil.example", "Forwarded: host=evil.example;proto=https"}},
		"no host":                {open, "/", []string{"Host: a'b!c"}},
		"no port":                {open, "/", []string{"Host: chat.lan:0080"}},
		"a public URL":           {public, publicURL, []string{"Host: backend:8080"}},
		"a public URL, wrong":    {public, publicURL, []string{"X-Forwarded-Proto: http", "X-Forwarded-Host: evil.example"}},
	} {
		for _, path := range []string{"/openapi.yaml", "/openapi.json"} {
			answer := test.server.Do(t, http.MethodGet, path, nil, test.header...)
			document, err := openapi3.NewLoader().LoadFromData([]byte(answer.Body))
			if err != nil {
				t.Fatalf("%s: %d, %v", name, answer.Status, err)
			}
			if len(document.Servers) != 1 || document.Servers[0].URL != test.want || answer.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s: %s says %+v, want %s", name, path, document.Servers[0].URL, test.want)
			}
		}
	}
}

// TestErrorsAreShared checks what the linter cannot see: every error of every
// operation refers to a shared response, so that all have one shape.
func TestErrorsAreShared(t *testing.T) {
	t.Parallel()
	for path, item := range contract.Document().Paths.Map() {
		for method, operation := range item.Operations() {
			for status, response := range operation.Responses.Map() {
				if (status == "default" || status >= "400") && !strings.HasPrefix(response.Ref, "#/components/responses/") {
					t.Errorf("%s %s: %s is described in its place", method, path, status)
				}
			}
		}
	}
}
