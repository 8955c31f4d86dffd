package httpapi

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/feed"
	"github.com/message-service/message-service/internal/identity"
	"github.com/message-service/message-service/internal/messaging"
	"github.com/message-service/message-service/internal/ratelimit"
)

// TestInQuery compares inQuery with package url, which it must agree with, for values of every form.
func TestInQuery(t *testing.T) {
	t.Parallel()
	parts := []string{"", "q", "q=", "q=a", "q=b%20+c", "%71=d", "%71=%", "q=%zz", "%7=e", "q;r=f", "q=f;r", "Q=g", "q=h=i", "=q", "r=q&s", "qq=j"}
	for _, first := range parts {
		for _, second := range parts {
			query := first + "&" + second
			parsed, _ := url.ParseQuery(query) // it returns what is well-formed
			if value, has := inQuery(query, "q"); value != parsed.Get("q") || has != parsed.Has("q") {
				t.Errorf("%s: %q and %t, want %q and %t", query, value, has, parsed.Get("q"), parsed.Has("q"))
			}
		}
	}
}

// BenchmarkAuthentication measures what a request costs by who makes it: all that stands between the router and
// the body, with a handler that does nothing.
func BenchmarkAuthentication(b *testing.B) {
	secrets, err := identity.ParseSecrets("now=0123456789abcdef0123456789abcdef")
	if err != nil {
		b.Fatal(err)
	}
	who, err := identity.New(b.Context(), dbtest.Open(b, dbtest.NewURL(b, db.SQLite)), identity.Options{Secrets: secrets, Audience: "chat"})
	if err != nil {
		b.Fatal(err)
	}
	go who.Run(b.Context())
	token, _, err := who.CreateToken(identity.Operator, "alice", time.Hour)
	if err != nil {
		b.Fatal(err)
	}
	high := ratelimit.Limit{Requests: 1_000_000, Window: time.Second}
	for _, run := range []struct {
		name    string
		options Options
	}{
		{"off", Options{}},
		{"without limits", Options{Authenticate: true}},
		{"with limits", Options{Authenticate: true, RateLimits: RateLimits{Send: high, Read: high}}},
	} {
		s, err := New(new(messaging.Service), feed.Start(nil, new(feed.Local), slog.New(slog.DiscardHandler), feed.Options{}), who, slog.New(slog.DiscardHandler), run.options)
		if err != nil {
			b.Fatal(err)
		}
		for _, target := range []struct{ method, path string }{{http.MethodPost, "/v1/messages"}, {http.MethodGet, "/v1/messages?recipient=alice&limit=100"}} {
			b.Run(run.name+" "+target.method, func(b *testing.B) {
				handle := s.beginExchange(s.authenticate(s.limitRate(func(echo.Context) error { return nil })))
				request, response := httptest.NewRequest(target.method, target.path, nil), httptest.NewRecorder()
				request.Header.Set("Authorization", "Bearer "+token)
				c := s.echo.AcquireContext()
				b.ReportAllocs()
				for b.Loop() {
					c.Reset(request, response)
					c.SetPath("/v1/messages")
					if err := handle(c); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
