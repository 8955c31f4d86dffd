package apitest_test

import (
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/message-service/message-service/api"
	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/messaging"
)

// testTimeout bounds what a test waits for.
const testTimeout = 30 * time.Second

func answerIs(t *testing.T, s *apitest.Server, method, path, body string, want int, header ...string) {
	t.Helper()
	answer := s.Do(t, method, path, strings.NewReader(body), append(header, "Content-Type: application/json")...)
	if answer.Status != want {
		t.Errorf("%s %s answered %d, want %d: %s", method, path, answer.Status, want, answer.Body)
	}
}

func TestHealthAndReadiness(t *testing.T) {
	apitest.Engines(t, func(t *testing.T, engine db.Engine) {
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

// TestLimits checks that the limits are those that hold: a text, a user id and a
// key of that length are accepted. TestBadInput has what is one longer.
func TestLimits(t *testing.T) {
	apitest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		answer := apitest.Call(s.GetLimitsWithResponse(t.Context())).Must(t, http.StatusOK)
		limits := *answer.JSON200
		if want := (client.Limits{
			UserIDMaxLength: 128, TextMaxLength: 4096, MetadataMaxBytes: 4096, MetadataMaxDepth: 30,
			IdempotencyKeyMaxLength: 255, PageMaxMessages: 100, PageMaxBytes: 524288, DefaultWindowDays: 30, RequestMaxBytes: 65536,
			UserMaxStreams: 10,
		}); limits != want {
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

func TestRequestID(t *testing.T) {
	apitest.Engines(t, func(t *testing.T, engine db.Engine) {
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

// TestDocumentation reads what stands beside the contract.
func TestDocumentation(t *testing.T) {
	apitest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		file, err := os.ReadFile("../../api/openapi.yaml")
		if err != nil {
			t.Fatal(err)
		}
		answer := s.Do(t, http.MethodGet, "/openapi.yaml", nil)
		if answer.Status != http.StatusOK || answer.Body != string(file) {
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
		answer = s.Do(t, http.MethodGet, "/docs/nothing.js", nil)
		if answer.Status != http.StatusNotFound || answer.Header.Get("Content-Type") != "application/problem+json" {
			t.Errorf("an asset that is not there: %d %s", answer.Status, answer.Body)
		}
	})
}

// TestErrorsAreShared checks what the linter cannot see: every error of every
// operation refers to a shared response, so that all have one shape.
func TestErrorsAreShared(t *testing.T) {
	t.Parallel()
	document, err := openapi3.NewLoader().LoadFromData(api.Document)
	if err != nil {
		t.Fatal(err)
	}
	for path, item := range document.Paths.Map() {
		for method, operation := range item.Operations() {
			for status, response := range operation.Responses.Map() {
				if (status == "default" || status >= "400") && !strings.HasPrefix(response.Ref, "#/components/responses/") {
					t.Errorf("%s %s: %s is described in its place", method, path, status)
				}
			}
		}
	}
}
