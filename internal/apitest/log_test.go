package apitest_test

import (
	"bytes"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/app"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/httpapi"
	"github.com/message-service/message-service/internal/identity"
	"github.com/message-service/message-service/internal/ratelimit"
)

// TestLogOfCredentials makes requests with credentials of each kind, good, bad and where they do not belong: the log
// says whose a request was, and at no level has anything of a credential or of a query.
func TestLogOfCredentials(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		log := &syncBuffer{}
		s := apitest.StartWith(t, dbtest.NewURL(t, engine), app.Options{
			Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
			API: httpapi.Options{Authenticate: true, RateLimits: httpapi.RateLimits{Failed: ratelimit.Limit{Requests: 5, Window: time.Hour}}},
		})
		key, secret, err := s.Identity.CreateKey(t.Context(), identity.Operator, identity.KeyRequest{Name: "backend", Scopes: []identity.Scope{identity.MessagesRead}})
		if err != nil {
			t.Fatal(err)
		}
		token, expired := apitest.Token(t, "alice", time.Now()), apitest.Token(t, "alice", time.Now().Add(-2*time.Hour))
		principal, err := s.Identity.Authenticate(t.Context(), token)
		if err != nil {
			t.Fatal(err)
		}
		ticket, _, err := s.Identity.CreateTicket(t.Context(), principal, "alice")
		if err != nil {
			t.Fatal(err)
		}
		credentials := []string{apitest.ServiceKey, secret, secret + "x", token, token[:len(token)-9], expired, ticket, ticket[:20], "junk-4711"}
		for _, credential := range credentials {
			for _, header := range []string{"Authorization: Bearer " + credential, "Authorization: Basic " + credential, "Cookie: token=" + credential} {
				for _, path := range []string{"/v1/messages?recipient=alice", "/v1/messages?recipient=alice&access_token=" + credential, "/v1/status?key=" + credential} {
					s.With("").Do(t, http.MethodGet, path, nil, header)
				}
			}
			s.With("").Do(t, http.MethodGet, "/v1/users/alice/changes?ticket="+credential, nil)
		}
		if err := s.Identity.RevokeKey(t.Context(), identity.Operator, key.ID); err != nil {
			t.Fatal(err)
		}
		s.With(secret).Do(t, http.MethodGet, "/v1/messages?recipient=alice", nil)
		text := log.String()
		for _, says := range []string{" user=alice", " key=" + key.ID, " key=env-", "Credential Required", "invalid credential", "expired credential", "revoked credential", `"failed\" is used up`} {
			if !strings.Contains(text, says) {
				t.Errorf("the log does not have %q", says)
			}
		}
		parts := append(slices.Concat(strings.Split(token, "."), strings.Split(expired, ".")),
			apitest.ServiceKey[:10], secret[:5], strings.SplitAfter(secret, "_")[2], ticket[:10], "junk-4711", "recipient=", "access_token=", "ticket=")
		for line := range strings.Lines(text) {
			for _, part := range parts {
				if strings.Contains(line, part) {
					t.Errorf("the log has %q: %s", part, line)
				}
			}
		}
	})
}

// syncBuffer is a buffer that several goroutines may write to.
type syncBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write writes.
func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// String returns what was written.
func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
