package identity_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/identity"
)

// code returns the code of an error, or "" if there is none.
func code(t *testing.T, err error) identity.Code {
	t.Helper()
	if err == nil {
		return ""
	}
	return errorOf(t, err).Code
}

func errorOf(t *testing.T, err error) *identity.Error {
	t.Helper()
	found, ok := errors.AsType[*identity.Error](err)
	if !ok {
		t.Errorf("an internal error: %v", err)
		return &identity.Error{Code: "internal"}
	}
	return found
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
	key, secret, err := s.CreateKey(t.Context(), identity.Operator, request)
	if err != nil {
		t.Fatal(err)
	}
	return key, secret
}

func authenticate(t *testing.T, s *identity.Service, credential string) *identity.Principal {
	t.Helper()
	p, err := s.Authenticate(t.Context(), credential)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func revoke(t *testing.T, s *identity.Service, user string, issuedBefore time.Time) {
	t.Helper()
	if _, err := s.RevokeTokens(t.Context(), identity.Operator, user, issuedBefore); err != nil {
		t.Fatal(err)
	}
}

func revokeKey(t *testing.T, s *identity.Service, id string) {
	t.Helper()
	if err := s.RevokeKey(t.Context(), identity.Operator, id); err != nil {
		t.Fatal(err)
	}
}

// signingSecret is the secret of newSecrets.
const signingSecret = "0123456789abcdef0123456789abcdef"

func newSecrets(t *testing.T) identity.Secrets {
	t.Helper()
	secrets, err := identity.ParseSecrets("now=" + signingSecret)
	if err != nil {
		t.Fatal(err)
	}
	return secrets
}
