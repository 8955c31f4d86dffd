package identity_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/identity"
)

// scoped are the use cases that act on somebody's behalf, by name, with the scope that each needs of a service.
var scoped = map[string]struct {
	scope identity.Scope
	run   func(t *testing.T, s *identity.Service, by *identity.Principal) error
}{
	"CreateKey": {identity.Admin, func(t *testing.T, s *identity.Service, by *identity.Principal) error {
		_, _, err := s.CreateKey(t.Context(), by, identity.KeyRequest{Name: "shop", Scopes: identity.Scopes()})
		return err
	}},
	"ListKeys": {identity.Admin, func(t *testing.T, s *identity.Service, by *identity.Principal) error {
		_, err := s.ListKeys(t.Context(), by)
		return err
	}},
	"RevokeKey": {identity.Admin, func(t *testing.T, s *identity.Service, by *identity.Principal) error {
		key, _ := createKey(t, s, identity.KeyRequest{Name: "to be revoked", Scopes: identity.Scopes()})
		return s.RevokeKey(t.Context(), by, key.ID)
	}},
	"RevokeTokens": {identity.Admin, func(t *testing.T, s *identity.Service, by *identity.Principal) error {
		_, err := s.RevokeTokens(t.Context(), by, "alice", time.Now())
		return err
	}},
	"AllowTokens": {identity.Admin, func(t *testing.T, s *identity.Service, by *identity.Principal) error {
		return s.AllowTokens(t.Context(), by, "alice")
	}},
	"CreateToken": {identity.TokensCreate, func(_ *testing.T, s *identity.Service, by *identity.Principal) error {
		_, _, err := s.CreateToken(by, "alice", time.Hour)
		return err
	}},
	"CreateTicket": {identity.MessagesRead, func(t *testing.T, s *identity.Service, by *identity.Principal) error {
		_, _, err := s.CreateTicket(t.Context(), by, "alice")
		return err
	}},
}

// TestScopes runs every use case by nobody, by a user, by a service without the scope and by one with it.
func TestScopes(t *testing.T) {
	t.Parallel()
	s := newService(t, dbtest.Open(t, dbtest.NewURL(t, db.SQLite)), identity.Options{Secrets: newSecrets(t), Audience: "test"})
	for name, useCase := range scoped {
		others := slices.DeleteFunc(identity.Scopes(), func(scope identity.Scope) bool { return scope == useCase.scope })
		for who, by := range map[string]*identity.Principal{
			"nobody": nil, "the zero principal": {}, "a user": {User: "bob"}, "a key without the scope": {Key: "a", Scopes: others},
		} {
			if got := code(t, useCase.run(t, s, by)); got != identity.Forbidden {
				t.Errorf("%s by %s: %q", name, who, got)
			}
		}
		if err := useCase.run(t, s, &identity.Principal{Key: "a", Scopes: []identity.Scope{useCase.scope}}); err != nil {
			t.Errorf("%s by a key with %s: %v", name, useCase.scope, err)
		}
	}
	forNobody := []string{"Authenticate", "AuthenticateTicket", "Check", "HasKeys", "Run", "Tidy", "Until"}
	for method := range reflect.TypeFor[*identity.Service]().Methods() {
		if _, tested := scoped[method.Name]; tested == slices.Contains(forNobody, method.Name) {
			t.Errorf("%s is new: it needs a principal, and a row in scoped", method.Name)
		}
	}
}
