package identity_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/identity"
)

// TestRevocationReachesOthers revokes a key on one server: a stream on another, and what that one accepts, ends. Without NOTIFY a
// poll ends it, which is as frequent as the promise of 2 seconds needs; with NOTIFY nothing but the notification can.
func TestRevocationReachesOthers(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		reaches(t, dbtest.NewURL(t, engine), identity.Options{NotifyOff: true}, func(other *identity.Service) {
			if every := *identity.PollInterval(other); every > time.Second { // and as long for the read
				t.Errorf("it polls every %s", every)
			}
			run(t, other)
		})
		if engine == db.SQLite {
			return
		}
		reaches(t, dbtest.NewDatabase(t, "LOCALE 'C'"), identity.Options{}, func(other *identity.Service) { // all tests of a database hear each other
			*identity.PollInterval(other) = 24 * time.Hour
			before := identity.ReadsOf(other)
			run(t, other)
			for identity.ReadsOf(other) == before { // it reads once it listens
				runtime.Gosched()
			}
		})
	})
}

// reaches revokes a key on one server, and waits for the end of a stream on another one, which start runs. Its clock stands still, so
// that what it knows stays fresh however long it takes.
func reaches(t *testing.T, url string, options identity.Options, start func(other *identity.Service)) {
	t.Helper()
	options.Now = (&clock{time.Now()}).Now
	s := newService(t, dbtest.Open(t, url), options)
	key, secret := createKey(t, s, identity.KeyRequest{Name: "shop", Scopes: identity.Scopes()})
	other := newService(t, dbtest.Open(t, url), options)
	start(other)
	ctx, cancel := other.Until(t.Context(), authenticate(t, other, secret))
	defer cancel()
	revokeKey(t, s, key.ID)
	<-ctx.Done()
	if err := context.Cause(ctx); code(t, err) != identity.Revoked {
		t.Errorf("it ended by %v", err)
	}
	if _, err := other.Authenticate(t.Context(), secret); code(t, err) != identity.Revoked {
		t.Errorf("authenticated: %v", err)
	}
}

// TestRevocations revokes tokens of one user and of all, and undoes that. Tokens that were issued in the same second work.
func TestRevocations(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		url := dbtest.NewURL(t, engine)
		now := &clock{time.Date(2026, 11, 26, 12, 0, 0, 900_000_000, time.UTC)}
		options := identity.Options{Secrets: newSecrets(t), Audience: "chat", Now: now.Now}
		s := newService(t, dbtest.Open(t, url), options)
		token := func(user string) string {
			t.Helper()
			token, _, err := s.CreateToken(identity.Operator, user, time.Hour)
			if err != nil {
				t.Fatal(err)
			}
			authenticate(t, s, token) // it is remembered
			return token
		}
		check := func(when string, tokens map[string]identity.Code) {
			t.Helper()
			fresh := newService(t, dbtest.Open(t, url), options) // it remembers nothing, and has read the database
			for token, want := range tokens {
				for _, s := range []*identity.Service{s, fresh} {
					if _, err := s.Authenticate(t.Context(), token); code(t, err) != want {
						t.Errorf("%s: %v, want %q", when, err, want)
					}
				}
			}
		}
		alice, bob := token("alice"), token("bob")
		revoke(t, s, "alice", now.now)
		check("in the same second", map[string]identity.Code{alice: "", bob: ""})
		now.now = now.now.Add(time.Second)
		revoke(t, s, "alice", now.now)
		newer := token("alice")
		check("later", map[string]identity.Code{alice: identity.Revoked, newer: "", bob: ""})
		revoke(t, s, "", now.now.Add(30*time.Second))
		check("all", map[string]identity.Code{alice: identity.Revoked, newer: identity.Revoked, bob: identity.Revoked})
		if err := s.AllowTokens(t.Context(), identity.Operator, ""); err != nil {
			t.Fatal(err)
		}
		check("all are undone", map[string]identity.Code{alice: identity.Revoked, newer: "", bob: ""})
		for range 2 {
			if err := s.AllowTokens(t.Context(), identity.Operator, "alice"); err != nil {
				t.Fatal(err)
			}
		}
		check("undone", map[string]identity.Code{alice: "", newer: "", bob: ""})
		revoke(t, s, "alice", now.now)
		revoke(t, s, "alice", now.now.Add(-time.Hour))
		check("replaced by an earlier one", map[string]identity.Code{alice: "", newer: "", bob: ""})
		r, err := s.RevokeTokens(t.Context(), identity.Operator, "alice", now.now.Add(30*time.Second+time.Microsecond))
		if code(t, err) != identity.InvalidArgument || errorOf(t, err).Field != "issuedBefore" {
			t.Errorf("too far ahead: %+v, %v", r, err)
		}
		for _, far := range []time.Time{{}, time.Unix(0, 0)} {
			revoke(t, s, "bob", far)
		}
		check("long ago", map[string]identity.Code{bob: ""})
	})
}
