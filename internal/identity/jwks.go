package identity

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/MicahParks/jwkset"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/message-service/message-service/internal/panics"
)

// keySet has the keys that tokens may be signed with.
type keySet map[keyName]any

// keyName is what the header of a token says of its key. It includes the algorithm, so that a key is never
// used with another one.
type keyName struct{ algorithm, id string }

const (
	maxDocumentSize = 1 << 20
	maxRSABits      = 8192 // with a key as long as a document can hold, one wrong signature would take seconds
)

// newClient follows redirects only within a host.
func newClient() *http.Client {
	return &http.Client{CheckRedirect: func(next *http.Request, before []*http.Request) error {
		if first := before[0].URL; next.URL.Host != first.Host || next.URL.Scheme != first.Scheme || len(before) > 3 {
			return errors.New("redirected to another host, or too often")
		}
		return nil
	}}
}

// fetchKeys reads where an issuer has its keys (OpenID Connect Discovery 1.0, section 4), and then these. It runs in a goroutine
// of its own, so a panic, as of a document that nobody has foreseen, is an error.
func fetchKeys(ctx context.Context, client *http.Client, issuer string) (_ keySet, err error) {
	defer panics.AsError(&err)
	var discovery struct {
		Issuer string `json:"issuer"`
		Keys   string `json:"jwks_uri"`
	}
	if err := fetchJSON(ctx, client, strings.TrimSuffix(issuer, "/")+"/.well-known/openid-configuration", &discovery); err != nil {
		return nil, fmt.Errorf("discovery document: %w", err)
	}
	if discovery.Issuer != issuer {
		return nil, fmt.Errorf("discovery document: its issuer is %q, which OIDC_ISSUER must equal", discovery.Issuer)
	}
	if u, err := url.Parse(discovery.Keys); err != nil || !trustworthy(u) {
		return nil, errors.New("discovery document: jwks_uri is not an https URL")
	}
	var set struct {
		Keys []jsontext.Value `json:"keys"`
	}
	if err := fetchJSON(ctx, client, discovery.Keys, &set); err != nil {
		return nil, fmt.Errorf("keys: %w", err)
	}
	keys := keySet{}
	for _, text := range set.Keys {
		if id, key, ok := readKey(text); ok && keys[id] == nil {
			keys[id] = key
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("keys: none has a kid and is for RS256, ES256 or EdDSA")
	}
	return keys, nil
}

func fetchJSON(ctx context.Context, client *http.Client, from string, into any) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, from, http.NoBody)
	if err != nil {
		return err
	}
	request.Header.Set("Accept", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("answered with status %d", response.StatusCode)
	}
	content, err := io.ReadAll(io.LimitReader(response.Body, maxDocumentSize+1))
	if err != nil {
		return err
	}
	if len(content) > maxDocumentSize {
		return errors.New("larger than 1 MB")
	}
	return json.Unmarshal(content, into)
}

// readKey returns a public key that is fit to verify tokens. Others are left out, as is a key without an id; so
// are symmetric ones, since everyone who reads the document could sign with them.
func readKey(text jsontext.Value) (keyName, any, bool) {
	var described jwkset.JWKMarshal
	if json.Unmarshal(text, &described) != nil || described.KID == "" {
		return keyName{}, nil, false
	}
	described.X5C, described.X5U, described.X5T, described.X5TS256 = nil, "", "", "" // certificates are not looked at
	read, err := jwkset.NewJWKFromMarshal(described, jwkset.JWKMarshalOptions{}, jwkset.JWKValidateOptions{})
	if err != nil {
		return keyName{}, nil, false
	}
	algorithm := fits(read.Key())
	verifies := (described.USE == "" || described.USE == jwkset.UseSig) &&
		(len(described.KEYOPS) == 0 || slices.Contains(described.KEYOPS, jwkset.KeyOpsVerify)) &&
		(described.ALG == "" || string(described.ALG) == algorithm)
	return keyName{algorithm, described.KID}, read.Key(), algorithm != "" && verifies
}

// fits returns the algorithm that a key is for, or "".
func fits(key any) string {
	switch key := key.(type) {
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits >= 2048 && bits <= maxRSABits {
			return "RS256"
		}
	case *ecdsa.PublicKey:
		if key.Curve == elliptic.P256() {
			return "ES256"
		}
	case ed25519.PublicKey:
		return "EdDSA"
	}
	return ""
}
