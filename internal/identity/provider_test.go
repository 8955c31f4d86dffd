package identity

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/MicahParks/jwkset"
	"github.com/go-json-experiment/json"
)

// provider is an OpenID provider whose documents a test changes at will.
type provider struct {
	*httptest.Server

	t         *testing.T
	mu        sync.Mutex
	documents map[string]string // by path
	fetches   atomic.Int32      // of the keys
	clock     atomic.Int64      // seconds since noon
}

const keysPath, discoveryPath = "/keys", "/.well-known/openid-configuration"

func newProvider(t *testing.T, keys testKeys) *provider {
	t.Helper()
	p := &provider{t: t, documents: map[string]string{}}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == keysPath {
			p.fetches.Add(1)
		}
		p.mu.Lock()
		defer p.mu.Unlock()
		if document := p.documents[r.URL.Path]; document != "" {
			_, _ = w.Write([]byte(document)) // the client may have left
		} else {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(p.Close)
	p.serve(discoveryPath, fmt.Sprintf(`{"issuer":%q,"jwks_uri":%q}`, p.URL, p.URL+keysPath))
	p.serveKeys("k", keys)
	return p
}

func (p *provider) serve(path, document string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.documents[path] = document
}

// serveKeys serves keys whose ids are prefix-RS256 and so on.
func (p *provider) serveKeys(prefix string, keys testKeys) {
	p.t.Helper()
	var set jwkset.JWKSMarshal
	for algorithm, key := range keys {
		described, err := jwkset.NewJWKFromKey(key.Public(), jwkset.JWKOptions{Metadata: jwkset.JWKMetadataOptions{KID: prefix + "-" + algorithm}})
		if err != nil {
			p.t.Fatal(err)
		}
		set.Keys = append(set.Keys, described.Marshal())
	}
	document, err := json.Marshal(set)
	if err != nil {
		p.t.Fatal(err)
	}
	p.serve(keysPath, string(document))
}

// now is never a whole second, unlike the times in tokens.
func (p *provider) now() time.Time {
	return noon.Add(time.Second/2 + time.Duration(p.clock.Load())*time.Second)
}

func (p *provider) pass(duration time.Duration) { p.clock.Add(int64(duration / time.Second)) }

// verifier verifies by the provider's keys, and by the clock of the test.
func (p *provider) verifier() *verifier {
	p.t.Helper()
	issuer, err := newIssuer(Issuer{p.URL, "chat-api"}, p.now, slog.New(slog.DiscardHandler))
	if err != nil {
		p.t.Fatal(err)
	}
	v := newTestVerifier(p.t, issuer)
	v.now = p.now
	return v
}

// token is valid for an hour by the clock of the test.
func (p *provider) token(keys testKeys, algorithm, id string) string {
	p.t.Helper()
	now := p.now().Unix()
	return keys.sign(p.t, algorithm, headerOf(algorithm, id),
		fmt.Sprintf(`{"iss":%q,"sub":"alice","aud":["chat-api"],"iat":%d,"exp":%d}`, p.URL, now, now+3600))
}

// refresh waits for the end of the fetch that it starts, if it starts one.
func (v *verifier) refreshNow() {
	v.issuer.refresh()
	v.issuer.mu.Lock()
	fetching := v.issuer.fetching
	v.issuer.mu.Unlock()
	if fetching != nil {
		<-fetching
	}
}

// want fails the test unless a token has a result, after a number of fetches.
func (p *provider) want(v *verifier, text string, code Code, fetches int32) {
	p.t.Helper()
	if _, err := v.verify(p.t.Context(), text); codeOf(p.t, err) != code {
		p.t.Errorf("got %v, want %q", err, code)
	}
	if got := p.fetches.Load(); got != fetches {
		p.t.Errorf("the keys were fetched %d times, want %d", got, fetches)
	}
}
