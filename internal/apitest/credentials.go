package apitest

import (
	"net/http"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/app"
	"github.com/message-service/message-service/internal/httpapi"
	"github.com/message-service/message-service/internal/identity"
)

// The credentials of servers that authenticate.
const (
	ServiceKey    = "service-key-of-the-tests-0123456789" // with all scopes
	TokenSecretID = "tests"
	TokenSecret   = "secret-of-the-tests-0123456789abcdef"
	TokenAudience = "message-service-of-the-tests"
)

// StartAuthenticated runs a server that authenticates on the given database.
func StartAuthenticated(t testing.TB, databaseURL string) *Server {
	t.Helper()
	return StartWith(t, databaseURL, app.Options{API: httpapi.Options{Authenticate: true}})
}

func giveCredentials(t testing.TB, options *app.Options) {
	t.Helper()
	var err error
	if options.Identity.Keys == nil {
		if options.Identity.Keys, err = identity.ParseGivenKeys(ServiceKey); err != nil {
			t.Fatal(err)
		}
	}
	if options.Identity.Secrets == nil {
		options.Identity.Audience = TokenAudience
		if options.Identity.Secrets, err = identity.ParseSecrets(TokenSecretID + "=" + TokenSecret); err != nil {
			t.Fatal(err)
		}
	}
}

// As returns the client of a user, with a token of theirs. It is the same one each time.
func (s *Server) As(t testing.TB, user string) *Client {
	t.Helper()
	known, ok := s.users.Load(user)
	if !ok {
		known, _ = s.users.LoadOrStore(user, s.With(Token(t, user, time.Now())))
	}
	return known.(*Client)
}

// Token returns a token for a user, issued at a time and valid for an hour.
func Token(t testing.TB, user string, issued time.Time) string {
	t.Helper()
	return Sign(t, jwt.SigningMethodHS256, TokenSecretID, []byte(TokenSecret), jwt.MapClaims{
		"sub": user, "aud": TokenAudience, "iat": issued.Unix(), "exp": issued.Add(time.Hour).Unix(),
	})
}

// Sign returns a JWT with any claims.
func Sign(t testing.TB, method jwt.SigningMethod, keyID string, key any, claims jwt.MapClaims) string {
	t.Helper()
	token := jwt.NewWithClaims(method, claims)
	token.Header["kid"] = keyID
	text, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// NewKey makes a service key with a name and scopes.
func (c *Client) NewKey(t testing.TB, name string, scopes ...client.Scope) client.CreatedKey {
	t.Helper()
	request := client.CreateKeyRequest{Name: name, Scopes: scopes}
	return *Call(c.CreateKeyWithResponse(t.Context(), request)).Must(t, http.StatusCreated).JSON201
}
