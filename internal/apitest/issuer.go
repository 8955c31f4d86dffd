package apitest

import (
	"crypto"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/message-service/message-service/internal/identity"
)

// Issuer is a local OpenID provider, as far as the service needs one: it publishes keys.
type Issuer struct {
	URL string

	mu   sync.Mutex
	keys map[string]ed25519.PrivateKey // those that are published, by their ids
}

// NewIssuer runs an issuer until the test ends.
func NewIssuer(t testing.TB) *Issuer {
	t.Helper()
	i := &Issuer{keys: map[string]ed25519.PrivateKey{}}
	server := httptest.NewUnstartedServer(http.HandlerFunc(i.serve))
	i.URL = "http://" + server.Listener.Addr().String() // before requests read it
	server.Start()
	t.Cleanup(server.Close)
	return i
}

// Options are those of a server that accepts its tokens.
func (i *Issuer) Options() identity.Issuer {
	return identity.Issuer{URL: i.URL, Audience: TokenAudience}
}

// Publish makes a key with an id, if there is none, and publishes it.
func (i *Issuer) Publish(t testing.TB, id string) crypto.Signer {
	t.Helper()
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys[id] = key
	return key
}

// Withdraw publishes a key no longer.
func (i *Issuer) Withdraw(id string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	delete(i.keys, id)
}

// Token returns a token for a user, signed by a key that was published.
func (i *Issuer) Token(t testing.TB, keyID string, key crypto.Signer, user string) string {
	t.Helper()
	return Sign(t, jwt.SigningMethodEdDSA, keyID, key, jwt.MapClaims{
		"iss": i.URL, "sub": user, "aud": TokenAudience, "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix(),
	})
}

func (i *Issuer) serve(w http.ResponseWriter, r *http.Request) {
	var document any
	switch r.URL.Path {
	case "/.well-known/openid-configuration":
		document = map[string]any{"issuer": i.URL, "jwks_uri": i.URL + "/keys"}
	case "/keys":
		document = map[string]any{"keys": i.published()}
	default:
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(document) // it fails only if the client is gone
}

func (i *Issuer) published() []map[string]string {
	i.mu.Lock()
	defer i.mu.Unlock()
	keys := []map[string]string{}
	for id, key := range i.keys {
		keys = append(keys, map[string]string{
			"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": id,
			"x": base64.RawURLEncoding.EncodeToString(key.Public().(ed25519.PublicKey)),
		})
	}
	return keys
}
