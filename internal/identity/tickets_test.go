package identity_test

import (
	"strings"
	"testing"
	"time"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/identity"
)

// TestTickets makes tickets by a key and by a token, and uses them on another server until they expire.
func TestTickets(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		url := dbtest.NewURL(t, engine)
		now := &clock{time.Now()}
		options := identity.Options{Secrets: newSecrets(t), Audience: "chat", Now: now.Now}
		s, other := newService(t, dbtest.Open(t, url), options), newService(t, dbtest.Open(t, url), options)
		_, secret := createKey(t, s, identity.KeyRequest{Name: "shop", Scopes: identity.Scopes()})
		token, _, err := s.CreateToken(identity.Operator, "alice", time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		for _, credential := range []string{secret, token} {
			by := authenticate(t, s, credential)
			ticket, expires, err := s.CreateTicket(t.Context(), by, "alice")
			if err != nil || expires.Sub(now.now).Round(time.Second) != time.Minute {
				t.Fatalf("a ticket until %s: %v", expires, err)
			}
			for range 2 { // as often as the browser reconnects
				p, err := other.AuthenticateTicket(t.Context(), ticket, "alice")
				if err != nil || p.User != "alice" || p.Key != "" || p.Scopes != nil || !p.Expires.Equal(by.Expires.Truncate(time.Microsecond)) {
					t.Fatalf("it stands for %+v: %v", p, err)
				}
			}
			for _, bad := range []string{"", "mst_", ticket + "x", ticket[1:], strings.ToUpper(ticket), "mst_" + strings.Repeat("0", 32), secret, token} {
				if _, err := other.AuthenticateTicket(t.Context(), bad, "alice"); code(t, err) != identity.Invalid {
					t.Errorf("%q: %v", bad, err)
				}
			}
			if _, err := other.AuthenticateTicket(t.Context(), ticket, "bob"); code(t, err) != identity.Invalid {
				t.Errorf("for another user: %v", err)
			}
			if _, err := other.Authenticate(t.Context(), ticket); code(t, err) != identity.Invalid {
				t.Errorf("as a token: %v", err)
			}
			now.now = now.now.Add(time.Minute)
			if _, err := other.AuthenticateTicket(t.Context(), ticket, "alice"); code(t, err) != identity.Expired {
				t.Errorf("after a minute: %v", err)
			}
			now.now = now.now.Add(-time.Minute)
		}
		if _, _, err := s.CreateTicket(t.Context(), authenticate(t, s, token), "bob"); code(t, err) != identity.Forbidden {
			t.Errorf("by a token of another user: %v", err)
		}
		ticket, _, err := s.CreateTicket(t.Context(), identity.Operator, "alice")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.AuthenticateTicket(t.Context(), ticket, "alice"); code(t, err) == "" {
			t.Error("a ticket made without a credential opens a stream")
		}
	})
}

// TestTicketsOfGivenKeys makes a ticket by a key of SERVICE_KEY, which is good on a server with that key, and on no other.
func TestTicketsOfGivenKeys(t *testing.T) {
	t.Parallel()
	keys, err := identity.ParseGivenKeys(strings.Repeat("k", 32))
	if err != nil {
		t.Fatal(err)
	}
	url := dbtest.NewURL(t, db.SQLite)
	s, other := newService(t, dbtest.Open(t, url), identity.Options{Keys: keys}), newService(t, dbtest.Open(t, url), identity.Options{})
	ticket, _, err := s.CreateTicket(t.Context(), authenticate(t, s, strings.Repeat("k", 32)), "alice")
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.AuthenticateTicket(t.Context(), ticket, "alice")
	if err != nil || p.User != "alice" || p.Scopes != nil {
		t.Errorf("it stands for %+v: %v", p, err)
	}
	if _, err := other.AuthenticateTicket(t.Context(), ticket, "alice"); code(t, err) != identity.Revoked {
		t.Errorf("on another server: %v", err)
	}
}
