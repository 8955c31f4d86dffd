package apitest_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/app"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/identity"
	"github.com/message-service/message-service/internal/messaging"
)

// withSecrets are the options of a server that makes user tokens.
func withSecrets(t *testing.T) app.Options {
	t.Helper()
	secrets, err := identity.ParseSecrets("1=" + strings.Repeat("s", 32))
	if err != nil {
		t.Fatal(err)
	}
	return app.Options{Identity: identity.Options{Secrets: secrets, Audience: "test"}}
}

// TestTokens makes user tokens, revokes them, and accepts them again.
func TestTokens(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.StartWith(t, dbtest.NewURL(t, engine), withSecrets(t))
		create := func(user string, seconds *int32) string {
			t.Helper()
			before := time.Now()
			made := apitest.Call(s.CreateTokenWithResponse(t.Context(), client.CreateTokenRequest{UserID: user, TTLSeconds: seconds})).Must(t, http.StatusCreated).JSON201
			lifetime := time.Hour
			if seconds != nil {
				lifetime = time.Duration(*seconds) * time.Second
			}
			if made.UserID != user || made.ExpiresAt.Sub(before.Add(lifetime)).Abs() > 5*time.Second {
				t.Errorf("made a token of %s until %s, asked for %s from %s on", made.UserID, made.ExpiresAt, lifetime, before)
			}
			return made.Token
		}
		alice, bob := create("alice", nil), create("+bob", new(int32(60)))
		is := func(what, token string, want identity.Code) {
			t.Helper()
			_, err := s.Identity.Authenticate(t.Context(), token)
			if got, _ := errors.AsType[*identity.Error](err); got == nil && want != "" || got != nil && got.Code != want {
				t.Errorf("%s: %v, want %q", what, err, want)
			}
		}
		is("new", alice, "")
		is("new", bob, "")

		soon := client.SetTokenRevocationRequest{IssuedBefore: time.Now().Add(2 * time.Second).Truncate(time.Millisecond)}
		set := apitest.Call(s.SetTokenRevocationWithResponse(t.Context(), "alice", soon)).Must(t, http.StatusOK).JSON200
		if !set.IssuedBefore.Equal(soon.IssuedBefore) {
			t.Errorf("revoked before %s, asked for %s", set.IssuedBefore, soon.IssuedBefore)
		}
		is("revoked", alice, identity.Revoked)
		is("of another user", bob, "")
		apitest.Call(s.DeleteTokenRevocationWithResponse(t.Context(), "+bob")).Must(t, http.StatusNoContent)
		is("still revoked", alice, identity.Revoked)
		apitest.Call(s.DeleteTokenRevocationWithResponse(t.Context(), "alice")).Must(t, http.StatusNoContent)
		is("accepted again", alice, "")

		apitest.Call(s.SetAllTokensRevocationWithResponse(t.Context(), soon)).Must(t, http.StatusOK)
		is("all revoked", alice, identity.Revoked)
		is("all revoked", bob, identity.Revoked)
		apitest.Call(s.DeleteAllTokensRevocationWithResponse(t.Context())).Must(t, http.StatusNoContent)
		is("all accepted again", alice, "")
		is("all accepted again", bob, "")
	})
}

// TestTokensRefused asks for tokens and revocations that cannot be.
func TestTokensRefused(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.StartWith(t, dbtest.NewURL(t, engine), withSecrets(t))
		for _, test := range []struct{ method, path, body, want string }{
			{http.MethodPost, "/v1/tokens", `{}`, "/userId"},
			{http.MethodPost, "/v1/tokens", `{"userId": "~alice"}`, "/userId"},
			{http.MethodPost, "/v1/tokens", `{"userId": "alice", "ttlSeconds": 59}`, "/ttlSeconds"},
			{http.MethodPost, "/v1/tokens", `{"userId": "alice", "ttlSeconds": 86401}`, "/ttlSeconds"},
			{http.MethodPost, "/v1/tokens", `{"userId": "alice", "admin": true}`, "/admin"},
			{http.MethodPut, "/v1/token-revocation", `{}`, "/issuedBefore"},
			{http.MethodPut, "/v1/token-revocation", `{"issuedBefore": "2999-01-01T00:00:00Z"}`, "/issuedBefore"},
			{http.MethodPut, "/v1/users/alice/token-revocation", `{"issuedBefore": "2999-01-01T00:00:00Z"}`, "/issuedBefore"},
			{http.MethodPut, "/v1/users/.alice/token-revocation", `{"issuedBefore": "2026-01-01T00:00:00Z"}`, "userId"},
		} {
			answer := s.Do(t, test.method, test.path, strings.NewReader(test.body), "Content-Type: application/json")
			if answer.Status != http.StatusUnprocessableEntity || !slices.Equal(errorPlaces(answer.Body), []string{test.want}) {
				t.Errorf("%s %s %s: answered %d %s, want 422 for %s", test.method, test.path, test.body, answer.Status, answer.Body, test.want)
			}
		}
		without := apitest.Start(t, engine, messaging.Options{})
		refused := apitest.Call(without.CreateTokenWithResponse(t.Context(), client.CreateTokenRequest{UserID: "alice"})).Must(t, http.StatusConflict)
		if p := refused.ApplicationProblemJSON409; !strings.HasSuffix(p.Type, ":token-secrets-missing") || !strings.Contains(p.Detail, "TOKEN_SECRETS") {
			t.Errorf("without secrets: %s", refused.Body)
		}
	})
}

// TestStreamTickets uses a ticket where it is good, and where it is not.
func TestStreamTickets(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.StartAuthenticated(t, dbtest.NewURL(t, engine))
		alice, nobody := s.As(t, "alice"), s.With("")
		made := apitest.Call(alice.CreateStreamTicketWithResponse(t.Context(), "alice")).Must(t, http.StatusCreated).JSON201
		if made.ExpiresAt.Sub(time.Now().Add(time.Minute)).Abs() > 5*time.Second {
			t.Errorf("it expires at %s", made.ExpiresAt)
		}
		for _, test := range []struct {
			path   string
			status int
			kind   string
		}{
			{"/v1/users/alice/changes?ticket=" + made.Ticket, 200, ""},
			{"/v1/users/alice/changes?ticket=" + made.Ticket, 200, ""}, // again
			{"/v1/users/bob/changes?ticket=" + made.Ticket, 401, "credential-invalid"},
			{"/v1/users/alice/changes?ticket=mst_junk", 401, "credential-invalid"},
			{"/v1/users/alice/conversations?ticket=" + made.Ticket, 401, "credential-required"},
		} {
			if answer := nobody.Do(t, http.MethodGet, test.path, nil); answer.Status != test.status || !strings.Contains(answer.Body, test.kind) {
				t.Errorf("%s: answered %d %s, want %d %s", test.path, answer.Status, answer.Body, test.status, test.kind)
			}
		}
		apitest.Call(alice.CreateStreamTicketWithResponse(t.Context(), "bob")).Must(t, http.StatusForbidden)

		open := apitest.Start(t, engine, messaging.Options{}) // asks for no credentials
		ticket := apitest.Call(open.CreateStreamTicketWithResponse(t.Context(), "alice")).Must(t, http.StatusCreated).JSON201.Ticket
		apitest.Call(open.ListChangesWithResponse(t.Context(), "alice", &client.ListChangesParams{Ticket: &ticket})).Must(t, http.StatusOK)
	})
}
