package identity

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"
)

const (
	refreshEvery = 10 * time.Minute // how long a key that the issuer has withdrawn is still taken
	retryAfter   = 10 * time.Second // after a failure, and between fetches for the sake of unknown keys
	fetchTimeout = 5 * time.Second
	keepFor      = 24 * time.Hour // keys are used through an outage of the issuer
)

// Issuer names an OpenID provider whose tokens are accepted; it is unset if URL is empty.
type Issuer struct {
	URL      string // OIDC_ISSUER: exactly what tokens have as iss
	Audience string // OIDC_AUDIENCE: what tokens have in aud
}

// issuer has the keys of an [Issuer]. They are fetched in the background every ten minutes, and sooner for a token
// with an unknown key, but then at most every ten seconds. Tokens with a known key never wait.
type issuer struct {
	url, audience string
	client        *http.Client
	now           func() time.Time
	log           *slog.Logger

	mu       sync.Mutex
	keys     keySet
	fetched  time.Time     // when keys were fetched
	failed   bool          // the last fetch
	tried    time.Time     // when the last fetch began
	searched time.Time     // when the last fetch for the sake of an unknown key began
	sought   keyName       // that key
	fetching chan struct{} // closed at the end of the fetch that is under way; nil if none is
}

func newIssuer(named Issuer, now func() time.Time, log *slog.Logger) (*issuer, error) {
	if u, err := url.Parse(named.URL); err != nil || !trustworthy(u) || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("OIDC_ISSUER is not an https URL without a query (http only with a loopback address)")
	}
	if named.Audience == "" {
		return nil, errors.New("OIDC_ISSUER needs OIDC_AUDIENCE")
	}
	return &issuer{url: named.URL, audience: named.Audience, client: newClient(), now: now, log: log}, nil
}

// trustworthy reports whether keys from a URL can be relied on: nobody on the way can have replaced them.
func trustworthy(u *url.URL) bool {
	host := u.Hostname()
	loopback := host == "localhost" || net.ParseIP(host).IsLoopback()
	return host != "" && u.User == nil && (u.Scheme == "https" || u.Scheme == "http" && loopback)
}

// key returns a key of the issuer. If it is unknown, key waits for the fetch that is under way, or for
// a new one, and no longer. It ends with [Unavailable] if there may be such a key nevertheless.
func (i *issuer) key(ctx context.Context, name keyName, issued time.Time) (any, error) {
	if fetching := i.search(name); fetching != nil {
		select {
		case <-fetching:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if key := i.current()[name]; key != nil {
		return key, nil
	}
	if i.failed || i.current() == nil || i.mayBeNewer(name, issued) {
		return nil, &Error{Code: Unavailable, Message: "The key of the token cannot be had from its issuer at the moment. Try again shortly."}
	}
	return nil, errUnknownKey
}

// mayBeNewer reports whether an unknown key may be newer than the last fetch, as a token with it claims that
// was issued in the same second or later. So a client whose issuer has changed its key tries again, even
// while others send tokens with keys that do not exist, and does not sign its user out.
func (i *issuer) mayBeNewer(name keyName, issued time.Time) bool {
	return name != i.sought && !issued.Before(i.tried.Truncate(time.Second))
}

// search returns the fetch that may find an unknown key, which it starts if it may. It returns nil if the key
// is known, or no fetch may start.
func (i *issuer) search(name keyName) <-chan struct{} {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.current()[name] != nil {
		return nil
	}
	if now := i.now(); i.fetching == nil && now.Sub(i.searched) >= retryAfter {
		i.searched, i.sought = now, name
		i.fetch()
	}
	return i.fetching
}

// current returns the keys, or nil if they are too old.
func (i *issuer) current() keySet {
	if i.now().Sub(i.fetched) > keepFor {
		return nil
	}
	return i.keys
}

// refresh fetches the keys in the background if that is due. It is called every second or so.
func (i *issuer) refresh() {
	i.mu.Lock()
	defer i.mu.Unlock()
	wait := refreshEvery
	if i.failed {
		wait = retryAfter
	}
	if i.fetching == nil && i.now().Sub(i.tried) >= wait {
		i.fetch()
	}
}

// fetch starts a fetch. The caller holds the lock, and there is none under way.
func (i *issuer) fetch() {
	done := make(chan struct{})
	i.fetching, i.tried = done, i.now()
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
		defer cancel()
		keys, err := fetchKeys(ctx, i.client, i.url)
		i.mu.Lock()
		defer i.mu.Unlock()
		i.report(err)
		if i.failed = err != nil; !i.failed {
			i.keys, i.fetched = keys, i.now()
		}
		i.fetching = nil
		close(done)
	}()
}

// report logs the first failure of several, and the end of them.
func (i *issuer) report(err error) {
	switch {
	case err != nil && !i.failed:
		i.log.Warn("cannot fetch the keys of the issuer; known keys are used for 24 hours", "issuer", i.url, "error", err)
	case err == nil && i.failed:
		i.log.Info("fetched the keys of the issuer again", "issuer", i.url)
	}
}
