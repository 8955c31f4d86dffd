package identity

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

func TestKeysAreRefreshed(t *testing.T) {
	t.Parallel()
	keys, next := newTestKeys(t), newTestKeys(t)
	p := newProvider(t, keys)
	v := p.verifier()
	for range 3 {
		v.refreshNow()
	}
	for algorithm := range keys {
		p.want(v, p.token(keys, algorithm, "k-"+algorithm), "", 1)
	}
	p.serveKeys("k", next) // the same ids, but the old keys are withdrawn
	p.pass(refreshEvery - time.Second)
	v.refreshNow()
	p.want(v, p.token(keys, "ES256", "k-ES256"), "", 1)
	p.pass(time.Second)
	v.refreshNow()
	p.want(v, p.token(keys, "ES256", "k-ES256"), Invalid, 2)
	p.want(v, p.token(next, "ES256", "k-ES256"), "", 2)
}

// TestRotationOfTheIssuersKeys signs with keys that nobody here has seen.
func TestRotationOfTheIssuersKeys(t *testing.T) {
	t.Parallel()
	keys, next := newTestKeys(t), newTestKeys(t)
	p := newProvider(t, keys)
	v := p.verifier()
	v.refreshNow()
	p.serveKeys("next", next)
	token := p.token(next, "EdDSA", "next-EdDSA")
	var all sync.WaitGroup
	for range 100 {
		all.Go(func() {
			if _, err := v.verify(t.Context(), token); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	p.want(v, token, "", 2)

	// Another one follows in the same second.
	p.serveKeys("k", keys)
	p.want(v, p.token(keys, "EdDSA", "k-EdDSA"), Unavailable, 2)
	p.want(v, token, "", 2)
	p.pass(retryAfter)
	p.want(v, p.token(keys, "EdDSA", "k-EdDSA"), "", 3)
	p.want(v, token, Invalid, 3) // it is older than the fetch, which did not find its key
	p.pass(retryAfter)
	unknown := p.token(keys, "EdDSA", "unknown")
	p.want(v, unknown, Invalid, 4)
	p.want(v, unknown, Invalid, 4)
}

// TestRotationAfterTheStart has a token come before the keys, and then one with a key that is new: the first has
// not used up the fetch for the second.
func TestRotationAfterTheStart(t *testing.T) {
	t.Parallel()
	keys, next := newTestKeys(t), newTestKeys(t)
	p := newProvider(t, keys)
	s, err := New(t.Context(), dbtest.Open(t, dbtest.NewURL(t, db.SQLite)), Options{Issuer: Issuer{p.URL, "chat-api"}, Now: p.now})
	if err != nil {
		t.Fatal(err)
	}
	p.want(s.verifier, p.token(keys, "EdDSA", "k-EdDSA"), "", 1)
	p.serveKeys("next", next)
	p.want(s.verifier, p.token(next, "EdDSA", "next-EdDSA"), "", 2)
}

// TestUnknownKeys sends a thousand tokens with unknown keys in each second of a minute.
func TestUnknownKeys(t *testing.T) {
	t.Parallel()
	keys := newTestKeys(t)
	p := newProvider(t, keys)
	v := p.verifier()
	v.refreshNow()
	valid := p.token(keys, "EdDSA", "k-EdDSA")
	for range 60 {
		for i := range 1000 {
			junk := fmt.Sprintf("%s.%s.AAAA", encode(headerOf("RS256", fmt.Sprint("junk-", i))), encode("{}"))
			if _, err := v.verify(t.Context(), junk); codeOf(t, err) != Invalid {
				t.Fatal(err)
			}
		}
		if _, err := v.verify(t.Context(), valid); err != nil {
			t.Fatal(err)
		}
		p.pass(time.Second)
	}
	p.want(v, valid, "", 1+6) // the first, and one every ten seconds
}

// TestSlowIssuer has tokens wait for an issuer that does not answer: none longer than five seconds, and
// none at all with a key that is known. Time passes only once everybody waits.
func TestSlowIssuer(t *testing.T) {
	t.Parallel()
	keys := newTestKeys(t)
	synctest.Test(t, func(t *testing.T) {
		i := newTestIssuer(keys)
		i.now, i.log = time.Now, slog.New(slog.DiscardHandler)
		i.fetched, i.tried, i.searched = time.Now(), time.Time{}, time.Time{}
		fetches := 0
		i.client = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			fetches++
			<-r.Context().Done()
			return nil, r.Context().Err()
		})}
		began := time.Now()
		i.refresh()
		unknown := func(ctx context.Context) error {
			_, err := i.key(ctx, keyName{"ES256", "unknown"}, time.Time{})
			return err
		}
		cancelled, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var waiting sync.WaitGroup
		waiting.Go(func() {
			if err := unknown(cancelled); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
				t.Errorf("a client that leaves: %v after %v", err, time.Since(began))
			}
		})
		for range 100 {
			waiting.Go(func() {
				if err := unknown(t.Context()); codeOf(t, err) != Unavailable || time.Since(began) != fetchTimeout {
					t.Errorf("unknown: %v after %v", err, time.Since(began))
				}
			})
		}
		synctest.Wait()
		if key, err := i.key(t.Context(), keyName{"ES256", "k-ES256"}, time.Time{}); key == nil || time.Since(began) != 0 {
			t.Errorf("known: %v after %v", err, time.Since(began))
		}
		waiting.Wait()
		if fetches != 1 { // all have waited for the one that was under way
			t.Errorf("there were %d fetches", fetches)
		}
		for range 2 { // the second one does not wait
			if err := unknown(t.Context()); codeOf(t, err) != Unavailable || time.Since(began) != 2*fetchTimeout || fetches != 2 {
				t.Errorf("unknown, after the failure: %v after %v and %d fetches", err, time.Since(began), fetches)
			}
		}
	})
}

// TestFetchPanics has the fetch that a token waits for panic, in a goroutine of its own: the key cannot be had.
func TestFetchPanics(t *testing.T) {
	t.Parallel()
	i := newTestIssuer(nil)
	i.log, i.searched = slog.New(slog.DiscardHandler), time.Time{}
	i.client = &http.Client{Transport: roundTripper(func(*http.Request) (*http.Response, error) { panic("a fetch") })}
	if _, err := i.key(t.Context(), keyName{"ES256", "unknown"}, time.Time{}); codeOf(t, err) != Unavailable {
		t.Error(err)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (r roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return r(request) }

func TestOutageOfTheIssuer(t *testing.T) {
	t.Parallel()
	keys := newTestKeys(t)
	p := newProvider(t, keys)
	v := p.verifier()
	v.refreshNow()
	p.serve(keysPath, "")
	p.pass(refreshEvery)
	v.refreshNow()
	p.want(v, p.token(keys, "RS256", "k-RS256"), "", 2)
	// Whether this key exists cannot be known, so the token is not refused for good.
	p.want(v, p.token(keys, "RS256", "unknown"), Unavailable, 3)
	p.pass(keepFor - refreshEvery)
	p.want(v, p.token(keys, "RS256", "k-RS256"), "", 3)
	p.pass(time.Second)
	p.want(v, p.token(keys, "RS256", "k-RS256"), Unavailable, 4)
	p.serveKeys("k", keys)
	p.pass(retryAfter)
	v.refreshNow()
	p.want(v, p.token(keys, "RS256", "k-RS256"), "", 5)
	p.want(v, p.token(keys, "RS256", "unknown"), Invalid, 6)
}

func TestIssuerThatIsDownAtFirst(t *testing.T) {
	t.Parallel()
	keys := newTestKeys(t)
	p := newProvider(t, keys)
	p.serve(keysPath, "")
	v := p.verifier()
	token := p.token(keys, "ES256", "k-ES256")
	p.want(v, token, Unavailable, 1)
	p.want(v, token, Unavailable, 1) // it asks again only after ten seconds
	p.want(v, sign(t, goodToken, claimsOf()), "", 1)
	p.serveKeys("k", keys)
	p.pass(retryAfter)
	v.refreshNow()
	p.want(v, token, "", 2)
}

func TestIssuerOptions(t *testing.T) {
	t.Parallel()
	for named, want := range map[Issuer]string{
		{"https://issuer.example.org", "chat"}:           "",
		{"https://issuer.example.org/realms/a/", "chat"}: "",
		{"http://127.0.0.1:8080", "chat"}:                "",
		{"http://[::1]:8080", "chat"}:                    "",
		{"http://localhost:8080", "chat"}:                "",
		{"https://issuer.example.org", ""}:               "OIDC_AUDIENCE",
		{"http://issuer.example.org", "chat"}:            "OIDC_ISSUER",
		{"http://127.0.0.1.example.org", "chat"}:         "OIDC_ISSUER",
		{"https://user:pass@example.org", "chat"}:        "OIDC_ISSUER",
		{"https://issuer.example.org/?a=example", "c"}:   "OIDC_ISSUER",
		{"https://issuer.example.org/#example", "chat"}:  "OIDC_ISSUER",
		{"issuer.example.org", "chat"}:                   "OIDC_ISSUER",
		{"https:///example", "chat"}:                     "OIDC_ISSUER",
		{"https://example\n", "chat"}:                    "OIDC_ISSUER",
		{"file:///etc/example", "chat"}:                  "OIDC_ISSUER",
	} {
		_, err := newIssuer(named, atNoon, nil)
		if got := fmt.Sprint(err); (err == nil) != (want == "") || !strings.Contains(got, want) || strings.Contains(got, "example") {
			t.Errorf("%q: got %v, want %q", named, err, want)
		}
	}
}
