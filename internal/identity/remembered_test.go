package identity

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

func newTokenService(t testing.TB, now func() time.Time) *Service {
	t.Helper()
	secrets, err := ParseSecrets("now=0123456789abcdef0123456789abcdef")
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(t.Context(), dbtest.Open(t, dbtest.NewURL(t, db.SQLite)), Options{Secrets: secrets, Audience: "chat", Now: now})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestRemembered withdraws the key of a token: for ten minutes the token is not verified again, but what ends it is looked at.
func TestRemembered(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := newTokenService(t, func() time.Time { return now })
	long, _, err := s.CreateToken(Operator, "alice", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	short, _, err := s.CreateToken(Operator, "bob", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	check := func(when, token string, want error) {
		t.Helper()
		if err := s.refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Authenticate(t.Context(), token); err != want { //nolint:errorlint // that very error
			t.Errorf("%s: %v, want %v", when, err, want)
		}
	}
	check("at first", long, nil)
	check("at first", short, nil)
	s.verifier.secrets = nil
	check("withdrawn", long, nil)
	now = now.Add(90 * time.Second)
	check("expired", short, errExpired)
	now = now.Add(rememberFor - 90*time.Second)
	check("after ten minutes", long, nil)
	now = now.Add(time.Second)
	check("later", long, errUnknownKey)
}

// TestRememberedOfMany has 20,000 users make requests in turn, over and over: the token of none is verified again.
func TestRememberedOfMany(t *testing.T) {
	t.Parallel()
	now := time.Now()
	s := newTokenService(t, func() time.Time { return now })
	if err := s.refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	var tokens []string
	for user := range 20_000 {
		token, _, err := s.CreateToken(Operator, fmt.Sprintf("user-%d", user), time.Hour)
		if err == nil {
			_, err = s.Authenticate(t.Context(), token)
		}
		if err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, token)
	}
	s.verifier.secrets = nil
	for range 3 {
		for user, token := range tokens {
			if _, err := s.Authenticate(t.Context(), token); err != nil {
				t.Fatalf("user-%d: %v", user, err)
			}
		}
	}
}

// BenchmarkAuthenticate measures credentials that were used before.
func BenchmarkAuthenticate(b *testing.B) {
	s := newTokenService(b, nil)
	token, _, err := s.CreateToken(Operator, "alice", time.Hour)
	if err != nil {
		b.Fatal(err)
	}
	_, key, err := s.CreateKey(b.Context(), Operator, KeyRequest{Name: "shop", Scopes: Scopes()})
	if err != nil {
		b.Fatal(err)
	}
	for name, credential := range map[string]string{"token": token, "key": key} {
		b.Run(name, func(b *testing.B) {
			if err := s.refresh(b.Context()); err != nil { // nothing else reads the state
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := s.Authenticate(b.Context(), credential); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	b.Run("check", func(b *testing.B) {
		p, err := s.Authenticate(b.Context(), token)
		if err = errors.Join(err, s.refresh(b.Context())); err != nil {
			b.Fatal(err)
		}
		for b.Loop() {
			if err := s.Check(p); err != nil {
				b.Fatal(err)
			}
		}
	})
}
