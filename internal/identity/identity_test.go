package identity_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/identity"
)

// code returns the code of an error, or "" if there is none.
func code(t *testing.T, err error) identity.Code {
	t.Helper()
	if err == nil {
		return ""
	}
	var found *identity.Error
	if !errors.As(err, &found) {
		t.Fatalf("an internal error: %v", err)
	}
	return found.Code
}

// clock is a wall clock that stands still.
type clock struct{ now time.Time }

// Now returns the time.
func (c *clock) Now() time.Time { return c.now }

func newService(t *testing.T, database *db.DB, options identity.Options) *identity.Service {
	t.Helper()
	s, err := identity.New(t.Context(), database, options)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// run runs a service until the end of the test.
func run(t *testing.T, s *identity.Service) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		s.Run(ctx)
	}()
	t.Cleanup(func() {
		stop()
		<-ended
	})
}

func createKey(t *testing.T, s *identity.Service, request identity.KeyRequest) (identity.Key, string) {
	t.Helper()
	key, secret, err := s.CreateKey(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	return key, secret
}

// TestKeys lets a key live: it is made, used on another server at once, listed, and revoked.
func TestKeys(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		url := dbtest.NewURL(t, engine)
		s, other := newService(t, dbtest.Open(t, url), identity.Options{}), newService(t, dbtest.Open(t, url), identity.Options{})
		if has, err := s.HasKeys(t.Context()); has || err != nil {
			t.Fatalf("there is a key: %v", err)
		}
		expires := time.Now().Add(time.Hour)
		key, secret := createKey(t, s, identity.KeyRequest{Name: "shop", Scopes: []identity.Scope{identity.Admin, identity.MessagesRead}, Expires: expires})
		for _, s := range []*identity.Service{s, other} {
			p, err := s.Authenticate(t.Context(), secret)
			if err != nil || p.Key != key.ID || p.User != "" || !p.Has(identity.Admin) || p.Has(identity.MessagesWrite) || p.Expires.UnixMicro() != expires.UnixMicro() {
				t.Fatalf("authenticated %+v: %v", p, err)
			}
			if keys, err := s.ListKeys(t.Context()); err != nil || len(keys) != 1 || keys[0].ID != key.ID || keys[0].Name != "shop" {
				t.Errorf("listed %+v: %v", keys, err)
			}
			if has, err := s.HasKeys(t.Context()); !has || err != nil {
				t.Errorf("there is no key: %v", err)
			}
		}
		p, _ := s.Authenticate(t.Context(), secret)
		if err := s.RevokeKey(t.Context(), key.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Authenticate(t.Context(), secret); code(t, err) != identity.Revoked {
			t.Errorf("authenticated once revoked: %v", err)
		}
		if err := s.Check(p); code(t, err) != identity.Revoked {
			t.Errorf("checked once revoked: %v", err)
		}
		if err := s.RevokeKey(t.Context(), key.ID); code(t, err) != identity.NotFound {
			t.Errorf("revoked again: %v", err)
		}
		if keys, err := s.ListKeys(t.Context()); err != nil || len(keys) > 0 {
			t.Errorf("listed %+v: %v", keys, err)
		}
	})
}

// TestKeysExpire lets time pass.
func TestKeysExpire(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		now := &clock{time.Now()}
		s := newService(t, dbtest.Open(t, dbtest.NewURL(t, engine)), identity.Options{Now: now.Now})
		_, secret := createKey(t, s, identity.KeyRequest{Name: "shop", Scopes: identity.Scopes(), Expires: now.now.Add(2 * time.Second)})
		p, err := s.Authenticate(t.Context(), secret)
		if err != nil {
			t.Fatal(err)
		}
		now.now = now.now.Add(2 * time.Second)
		if err := s.Check(p); code(t, err) != identity.Expired {
			t.Errorf("checked: %v", err)
		}
		if _, err := s.Authenticate(t.Context(), secret); code(t, err) != identity.Expired {
			t.Errorf("authenticated: %v", err)
		}
		if has, err := s.HasKeys(t.Context()); has || err != nil {
			t.Errorf("there is a key: %v", err)
		}
	})
}

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
			if err := s.RevokeKey(t.Context(), key.ID); err != nil {
				t.Fatal(err)
			}
			begun := time.Now()
			select {
			case <-ctx.Done():
			case <-time.After(2 * time.Second):
				t.Fatalf("the stream goes on after 2 seconds (%+v)", options)
			}
			t.Logf("NOTIFY off %t: it ended after %s", options.NotifyOff, time.Since(begun))
			if err := context.Cause(ctx); code(t, err) != identity.Revoked {
				t.Errorf("it ended by %v", err)
			}
			if _, err := other.Authenticate(t.Context(), secret); code(t, err) != identity.Revoked {
				t.Errorf("authenticated: %v", err)
			}
		}
	})
}
