package identity

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// testKeys are private keys, by the algorithm that each is for.
type testKeys map[string]crypto.Signer

func newTestKeys(t testing.TB) testKeys {
	t.Helper()
	rsaKey, err1 := rsa.GenerateKey(rand.Reader, 2048)
	ecKey, err2 := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	_, edKey, err3 := ed25519.GenerateKey(rand.Reader)
	if err1 != nil || err2 != nil || err3 != nil {
		t.Fatal(err1, err2, err3)
	}
	return testKeys{"RS256": rsaKey, "ES256": ecKey, "EdDSA": edKey}
}

// newTestIssuer has fetched the keys, whose ids are k-RS256 and so on, after the tokens of noon were issued.
func newTestIssuer(keys testKeys) *issuer {
	i := &issuer{url: "https://issuer.example.org", audience: "chat-api", now: atNoon, keys: keySet{}}
	i.fetched = noon.Add(time.Second)
	i.tried, i.searched = i.fetched, i.fetched
	for algorithm, key := range keys {
		i.keys[keyName{algorithm, "k-" + algorithm}] = key.Public()
	}
	return i
}

// issuerClaims are claims of that issuer that are valid at noon, but for the given replacements.
func issuerClaims(replacements ...string) string {
	text := claimsOf(`"chat"`, `"chat-api"`, `{`, `{"iss":"https://issuer.example.org",`)
	return strings.NewReplacer(replacements...).Replace(text)
}

func (k testKeys) sign(t testing.TB, algorithm, header, payload string) string {
	t.Helper()
	return signWith(t, jwt.GetSigningMethod(algorithm), k[algorithm], encode(header)+"."+encode(payload))
}

func headerOf(algorithm, id string) string { return fmt.Sprintf(`{"alg":%q,"kid":%q}`, algorithm, id) }

func TestTokensOfTheIssuer(t *testing.T) {
	t.Parallel()
	keys := newTestKeys(t)
	v := newTestVerifier(t, newTestIssuer(keys))
	for algorithm := range keys {
		good := headerOf(algorithm, "k-"+algorithm)
		for name, test := range map[string]struct {
			header, payload string
			want            Code
		}{
			"valid":                               {good, issuerClaims(), ""},
			"expired":                             {good, issuerClaims("1795694400", "1795690000", "1795698000", "1795694000"), Expired},
			"of another issuer":                   {good, issuerClaims("issuer.example.org", "issuer.example.com"), Invalid},
			"of an issuer with a slash more":      {good, issuerClaims("example.org", "example.org/"), Invalid},
			"without an issuer":                   {good, claimsOf(`"chat"`, `"chat-api"`), Invalid},
			"with the audience of TOKEN_AUDIENCE": {good, issuerClaims(`"chat-api"`, `"chat"`), Invalid},
			"kid unknown":                         {headerOf(algorithm, "other"), issuerClaims(), Invalid},
			"kid of a secret":                     {headerOf(algorithm, "new"), issuerClaims(), Invalid},
			"no kid":                              {fmt.Sprintf(`{"alg":%q}`, algorithm), issuerClaims(), Invalid},
		} {
			if _, err := v.verify(t.Context(), keys.sign(t, algorithm, test.header, test.payload)); codeOf(t, err) != test.want {
				t.Errorf("%s %s: got %v, want %q", algorithm, name, err, test.want)
			}
		}
		for other := range keys { // the key of one algorithm, and the signature of another
			if _, err := v.verify(t.Context(), keys.sign(t, algorithm, headerOf(algorithm, "k-"+other), issuerClaims())); (err == nil) != (algorithm == other) {
				t.Errorf("%s with the key of %s: %v", algorithm, other, err)
			}
		}
	}
}

// TestPublicKeyIsNoSecret signs HS256 with what everybody knows of the issuer.
func TestPublicKeyIsNoSecret(t *testing.T) {
	t.Parallel()
	keys := newTestKeys(t)
	v := newTestVerifier(t, newTestIssuer(keys))
	for algorithm, key := range keys {
		encoded, err := x509.MarshalPKIXPublicKey(key.Public())
		if err != nil {
			t.Fatal(err)
		}
		secrets := [][]byte{encoded, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: encoded}), {}}
		if public, ok := key.Public().(ed25519.PublicKey); ok {
			secrets = append(secrets, public)
		}
		for i, secret := range secrets {
			for _, id := range []string{"k-" + algorithm, "new"} {
				text := signWith(t, jwt.SigningMethodHS256, secret, encode(headerOf("HS256", id))+"."+encode(issuerClaims()))
				if _, err := v.verify(t.Context(), text); codeOf(t, err) != Invalid {
					t.Errorf("%s, form %d, kid %s: got %v", algorithm, i, id, err)
				}
			}
		}
	}
}

// TestSecretIsOnlyForItsAudience uses a secret to sign what only the issuer may say.
func TestSecretIsOnlyForItsAudience(t *testing.T) {
	t.Parallel()
	v := newTestVerifier(t, newTestIssuer(newTestKeys(t)))
	if _, err := v.verify(t.Context(), sign(t, goodToken, issuerClaims())); codeOf(t, err) != Invalid {
		t.Errorf("got %v", err)
	}
	if _, err := v.verify(t.Context(), sign(t, goodToken, claimsOf())); err != nil {
		t.Errorf("its own audience: %v", err)
	}
}

// TestFlippedBits changes every single bit of a token with each algorithm.
func TestFlippedBits(t *testing.T) {
	t.Parallel()
	keys := newTestKeys(t)
	v := newTestVerifier(t, newTestIssuer(keys))
	tokens := map[string]string{"HS256": sign(t, goodToken, claimsOf())}
	for algorithm := range keys {
		tokens[algorithm] = keys.sign(t, algorithm, headerOf(algorithm, "k-"+algorithm), issuerClaims())
	}
	for algorithm, token := range tokens {
		t.Run(algorithm, func(t *testing.T) {
			t.Parallel()
			if _, err := v.verify(t.Context(), token); err != nil {
				t.Fatal(err)
			}
			for bit := range 8 * len(token) {
				flipped := []byte(token)
				flipped[bit/8] ^= 1 << (bit % 8)
				if _, err := v.verify(t.Context(), string(flipped)); codeOf(t, err) != Invalid {
					t.Errorf("bit %d: %v", bit, err)
				}
			}
		})
	}
}

// FuzzTokens signs any header and claims. What is accepted must be right by package encoding/json too.
func FuzzTokens(f *testing.F) {
	for _, header := range []string{goodToken, `{"alg":"HS256","kid":"new","kid":"old","crit":[]}`, `{"alg":"none"}`, `{"typ":"JWT"}`} {
		for _, payload := range []string{claimsOf(), claimsOf("{", `{"sub":1,"SUB":"bob",`), claimsOf(`"chat"`, `["chat",null]`), claimsOf("1795698000", "1e99"), "null"} {
			f.Add(header, payload)
		}
	}
	v := newTestVerifier(f, nil)
	f.Fuzz(func(t *testing.T, header, payload string) {
		c, err := v.verify(t.Context(), sign(t, header, payload))
		if err != nil {
			if code := codeOf(t, err); code != Invalid && code != Expired || c != (claims{}) {
				t.Errorf("got %v and %v", c, err)
			}
			return
		}
		var head, said map[string]any
		if json.Unmarshal([]byte(header), &head) != nil || json.Unmarshal([]byte(payload), &said) != nil {
			t.Fatal("accepted what is not JSON")
		}
		audiences, _ := said["aud"].([]any)
		iat, _ := said["iat"].(float64)
		exp, _ := said["exp"].(float64)
		at := float64(noon.Unix())
		if head["alg"] != "HS256" || head["kid"] != "new" || head["crit"] != nil || said["sub"] != c.User || !userID().MatchString(c.User) ||
			said["aud"] != "chat" && !slices.Contains(audiences, "chat") ||
			iat > at+30 || exp < at-30 || exp-iat > 24*60*60 || c.Expires.Sub(c.Issued) > maxLifetime+leeway+time.Microsecond {
			t.Errorf("accepted as %v", c)
		}
	})
}

// FuzzJunk verifies any text: nobody can guess a signature.
func FuzzJunk(f *testing.F) {
	good := sign(f, goodToken, claimsOf())
	f.Add(good)
	f.Add(good + ".")
	f.Add(encode(headerOf("EdDSA", "k-EdDSA")) + "." + encode(issuerClaims()) + ".AAAA")
	f.Add("a.b.c")
	v := newTestVerifier(f, newTestIssuer(newTestKeys(f)))
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := v.verify(t.Context(), text); text != good && codeOf(t, err) != Invalid {
			t.Errorf("got %v", err)
		}
	})
}
