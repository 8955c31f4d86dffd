package identity

import (
	"crypto"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/MicahParks/jwkset"
	"github.com/go-json-experiment/json"
)

func describe(t *testing.T, key any, private bool, metadata jwkset.JWKMetadataOptions) string {
	t.Helper()
	described, err := jwkset.NewJWKFromKey(key, jwkset.JWKOptions{
		Marshal: jwkset.JWKMarshalOptions{Private: private}, Metadata: metadata,
	})
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(described.Marshal())
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestReadKey(t *testing.T) {
	t.Parallel()
	keys := newTestKeys(t)
	small, err1 := rsa.GenerateKey(rand.Reader, 1024)
	p384, err2 := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	x25519, err3 := ecdh.X25519().GenerateKey(rand.Reader)
	if err1 != nil || err2 != nil || err3 != nil {
		t.Fatal(err1, err2, err3)
	}
	public := func(algorithm string) any { return keys[algorithm].Public() }
	type metadata = jwkset.JWKMetadataOptions
	rs256 := describe(t, public("RS256"), false, metadata{KID: "a"})
	es256 := describe(t, public("ES256"), false, metadata{KID: "a"})
	tests := []struct{ name, text, want string }{
		{"RSA", rs256, "RS256"},
		{"RSA for RS256", describe(t, public("RS256"), false, metadata{KID: "a", ALG: jwkset.AlgRS256, USE: jwkset.UseSig}), "RS256"},
		{"P-256", es256, "ES256"},
		{"Ed25519", describe(t, public("EdDSA"), false, metadata{KID: "a"}), "EdDSA"},
		{"for verifying", describe(t, public("ES256"), false, metadata{KID: "a", KEYOPS: []jwkset.KEYOPS{jwkset.KeyOpsVerify}}), "ES256"},
		{"certificates that are not looked at", strings.Replace(es256, "{", `{"x5u":"http://127.0.0.1:1/","x5c":["AA"],"x5t":"AA",`, 1), "ES256"},
		{"private, of which only the public part is read", describe(t, keys["ES256"], true, metadata{KID: "a"}), "ES256"},

		{"no kid", describe(t, public("RS256"), false, metadata{}), ""},
		{"oct", describe(t, []byte(dashed(newSecret)), true, metadata{KID: "a"}), ""},
		{"oct for HS256", describe(t, []byte(dashed(newSecret)), true, metadata{KID: "a", ALG: jwkset.AlgHS256}), ""},
		{"RSA for RS512", describe(t, public("RS256"), false, metadata{KID: "a", ALG: jwkset.AlgRS512}), ""},
		{"RSA for PS256", describe(t, public("RS256"), false, metadata{KID: "a", ALG: jwkset.AlgPS256}), ""},
		{"RSA for HS256", strings.Replace(rs256, "{", `{"alg":"HS256",`, 1), ""},
		{"RSA for ES256", strings.Replace(rs256, "{", `{"alg":"ES256",`, 1), ""},
		{"RSA of 1024 bits", describe(t, small.Public(), false, metadata{KID: "a"}), ""},
		{"RSA of 8193 bits", describe(t, &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 8192), E: 65537}, false, metadata{KID: "a"}), ""},
		{"RSA with a huge exponent", strings.Replace(rs256, `"e":"AQAB"`, `"e":"AQAAAAAAAAAAAQAB"`, 1), ""},
		{"P-384", describe(t, p384.Public(), false, metadata{KID: "a"}), ""},
		{"P-256 beside the curve", strings.Replace(es256, `"x":"`, `"x":"AA`, 1), ""},
		{"X25519", describe(t, x25519.PublicKey(), false, metadata{KID: "a"}), ""},
		{"for encryption", describe(t, public("RS256"), false, metadata{KID: "a", USE: jwkset.UseEnc}), ""},
		{"for signing only", describe(t, public("ES256"), false, metadata{KID: "a", KEYOPS: []jwkset.KEYOPS{jwkset.KeyOpsSign}}), ""},
		{"unknown kind", `{"kty":"AKP","kid":"a"}`, ""},
		{"empty", `{}`, ""},
		{"null", `null`, ""},
		{"a string", `"a"`, ""},
		{"kid twice", strings.Replace(rs256, "{", `{"kid":"b",`, 1), ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			name, key, ok := readKey([]byte(test.text))
			if ok != (test.want != "") || ok && (name != keyName{test.want, "a"}) {
				t.Fatalf("%s: got %v, %v", test.text, name, ok)
			}
			if owner, private := keys[test.want], key; ok && !owner.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(private) {
				t.Errorf("got the key %v", private)
			}
		})
	}
}

func TestFetchKeys(t *testing.T) {
	t.Parallel()
	keys := newTestKeys(t)
	stranger := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(stranger.Close)
	discovery := func(issuer, keys string) string { return fmt.Sprintf(`{"issuer":%q,"jwks_uri":%q}`, issuer, keys) }
	tests := map[string]struct {
		path     string
		document func(p *provider) string
		want     string // in the error; "" if there is none
	}{
		"valid":                 {"/", func(*provider) string { return "" }, ""},
		"more members":          {discoveryPath, func(p *provider) string { return `{"x":[],` + discovery(p.URL, p.URL+keysPath)[1:] }, ""},
		"of another issuer":     {discoveryPath, func(p *provider) string { return discovery(p.URL+"/", p.URL+keysPath) }, "which OIDC_ISSUER must equal"},
		"of no issuer":          {discoveryPath, func(p *provider) string { return fmt.Sprintf(`{"jwks_uri":%q}`, p.URL+keysPath) }, "which OIDC_ISSUER must equal"},
		"no keys":               {discoveryPath, func(p *provider) string { return fmt.Sprintf(`{"issuer":%q}`, p.URL) }, "jwks_uri"},
		"keys over http":        {discoveryPath, func(p *provider) string { return discovery(p.URL, "http://keys.example.org/") }, "jwks_uri"},
		"keys in a file":        {discoveryPath, func(p *provider) string { return discovery(p.URL, "file:///etc/passwd") }, "jwks_uri"},
		"not JSON":              {discoveryPath, func(*provider) string { return "<html>" }, "discovery document"},
		"not there":             {discoveryPath, func(*provider) string { return "" }, "status 503"},
		"discovery over 1 MB":   {discoveryPath, func(p *provider) string { return discovery(p.URL, p.URL+keysPath) + strings.Repeat(" ", 1<<20) }, "larger than 1 MB"},
		"keys over 1 MB":        {keysPath, func(*provider) string { return `{"keys":[]}` + strings.Repeat(" ", 1<<20) }, "larger than 1 MB"},
		"keys not there":        {keysPath, func(*provider) string { return "" }, "status 503"},
		"keys of another shape": {keysPath, func(*provider) string { return `[]` }, "keys"},
		"none that can be used": {keysPath, func(*provider) string { return `{"keys":[{"kty":"oct","kid":"a","k":"AAAA"},null,1]}` }, "none has a kid"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t, keys)
			p.serve(test.path, test.document(p))
			found, err := fetchKeys(t.Context(), newClient(), p.URL)
			if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if want := len(keys); err == nil && len(found) != want {
				t.Errorf("found %d keys, want %d", len(found), want)
			}
		})
	}
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	asked := false
	stranger := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked = true }))
	t.Cleanup(stranger.Close)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/within":
			http.Redirect(w, r, "/there", http.StatusFound)
		case "/away":
			http.Redirect(w, r, stranger.URL, http.StatusFound)
		case "/circle":
			http.Redirect(w, r, "/circle", http.StatusFound)
		default:
			_, _ = w.Write([]byte(`{}`))
		}
	}))
	t.Cleanup(server.Close)
	for path, good := range map[string]bool{"/within": true, "/away": false, "/circle": false} {
		var into struct{}
		if err := fetchJSON(t.Context(), newClient(), server.URL+path, &into); (err == nil) != good {
			t.Errorf("%s: %v", path, err)
		}
	}
	if asked {
		t.Error("it asked another host")
	}
}
