package identity_test

import (
	"context"
	"testing"
	"time"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/identity"
)

// TestRevocationReachesOthers revokes a key on one server: a stream on another, and what that one accepts, ends within 2
// seconds, with NOTIFY and without.
func TestRevocationReachesOthers(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		for _, options := range []identity.Options{{}, {NotifyOff: true}} {
			url := dbtest.NewURL(t, engine)
			s, other := newService(t, dbtest.Open(t, url), options), newService(t, dbtest.Open(t, url), options)
			run(t, s)
			run(t, other)
			key, secret := createKey(t, s, identity.KeyRequest{Name: "shop", Scopes: identity.Scopes()})
			p, err := other.Authenticate(t.Context(), secret)
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := other.Until(t.Context(), p)
			defer cancel()
			if err := s.RevokeKey(t.Context(), identity.Operator, key.ID); err != nil {
				t.Fatal(err)
			}
			before := identity.ReadsOf(other)
			<-ctx.Done()
			if reads := identity.ReadsOf(other) - before; reads > 2 && options.NotifyOff { // one a second; otherwise other tests cause some, too
				t.Errorf("it ended only after %d reads", reads)
			}
			if err := context.Cause(ctx); code(t, err) != identity.Revoked {
				t.Errorf("it ended by %v", err)
			}
			if _, err := other.Authenticate(t.Context(), secret); code(t, err) != identity.Revoked {
				t.Errorf("authenticated: %v", err)
			}
		}
	})
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
