package apitest_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/app"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/httpapi"
	"github.com/message-service/message-service/internal/identity"
)

// clock is a wall clock that stands still, so that no key expires before the test is ready for it.
type clock struct {
	start  time.Time
	passed atomic.Int64
}

func (c *clock) now() time.Time { return c.start.Add(time.Duration(c.passed.Load())) }

// ending is a credential for bob's changes, and what ends it.
type ending struct {
	credential string
	inQuery    bool // it is a stream ticket
	end        func() error
	problem    string // of a request with it later
}

// endings make credentials on a server, whose clock goes on when one is to expire.
func endings(t *testing.T, s *apitest.Server, c *clock) map[string]func() ending {
	ctx, issued := context.WithoutCancel(t.Context()), time.Now().Add(-time.Minute)
	token := func(revoked string) ending { // of a later second than those that were revoked before
		issued = issued.Add(time.Second)
		return ending{apitest.Token(t, "bob", issued), false, func() error {
			_, err := s.Identity.RevokeTokens(ctx, identity.Operator, revoked, issued.Add(time.Second))
			return err
		}, "revoked"}
	}
	key := func() ending {
		key, secret, err := s.Identity.CreateKey(ctx, identity.Operator, identity.KeyRequest{Name: t.Name(), Scopes: []identity.Scope{identity.MessagesRead}})
		if err != nil {
			t.Fatal(err)
		}
		return ending{secret, false, func() error { return s.Identity.RevokeKey(ctx, identity.Operator, key.ID) }, "revoked"}
	}
	brief := func() ending {
		_, secret, err := s.Identity.CreateKey(ctx, identity.Operator, identity.KeyRequest{
			Name: t.Name(), Scopes: []identity.Scope{identity.MessagesRead}, Expires: new(c.now().Add(time.Second)),
		})
		if err != nil {
			t.Fatal(err)
		}
		return ending{secret, false, func() error {
			c.passed.Add(int64(time.Second))
			return nil
		}, "expired"}
	}
	ticket := func(e ending) ending {
		by, err := s.Identity.Authenticate(ctx, e.credential)
		if err != nil {
			t.Fatal(err)
		}
		if e.credential, _, err = s.Identity.CreateTicket(ctx, by, "bob"); err != nil {
			t.Fatal(err)
		}
		e.inQuery = true
		return e
	}
	return map[string]func() ending{
		"a revoked token":             func() ending { return token("bob") },
		"a token, all revoked":        func() ending { return token("") },
		"a revoked key":               key,
		"a key that expires":          brief,
		"a ticket of a revoked token": func() ending { return ticket(token("bob")) },
		"a ticket of a revoked key":   func() ending { return ticket(key()) },
		"a ticket of an expiring key": func() ending { return ticket(brief()) },
	}
}

// request makes a request for bob's changes by a credential.
func (e ending) request(t *testing.T, s *apitest.Server, query, accept string) (*http.Response, error) {
	t.Helper()
	if e.inQuery {
		query += "&ticket=" + e.credential
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/v1/users/bob/changes?"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Accept", accept)
	if !e.inQuery {
		request.Header.Set("Authorization", "Bearer "+e.credential)
	}
	return s.With("").HTTP.Do(request)
}

// TestCredentialEnds follows bob's changes with credentials of each kind, on the server that ends them and on another
// one, as streams over HTTP/1.1 and HTTP/2 and by a long poll. Each must end when its credential does, and none
// may bring what was stored later.
func TestCredentialEnds(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		url, c := dbtest.NewURL(t, engine), &clock{start: time.Now()}
		start := func() *apitest.Server {
			return apitest.StartWith(t, url, app.Options{H2C: true, API: httpapi.Options{Authenticate: true}, Identity: identity.Options{Now: c.now}})
		}
		here, there := start(), start()
		for name, makeCredential := range endings(t, here, c) {
			t.Run(name, func(t *testing.T) {
				e := makeCredential()
				streams := map[string]io.ReadCloser{}
				for protocol, server := range map[string]*apitest.Server{
					"HTTP/1.1": here, "HTTP/2": overHTTP2(t, here), "HTTP/1.1, another server": there, "HTTP/2, another server": overHTTP2(t, there),
				} {
					response, err := e.request(t, server, "", "text/event-stream")
					if err != nil || response.StatusCode != http.StatusOK || (response.ProtoMajor == 2) != strings.HasPrefix(protocol, "HTTP/2") {
						t.Fatalf("%s: answered %+v: %v", protocol, response, err)
					}
					defer response.Body.Close() //nolint:errcheck // it was read to its end
					streams[protocol] = response.Body
				}
				cursor := here.Clock(t, "bob")
				polls := map[*apitest.Server]chan apitest.Answer{here: make(chan apitest.Answer, 1), there: make(chan apitest.Answer, 1)}
				for server, answer := range polls {
					go func() {
						response, err := e.request(t, server, "wait=60&after="+cursor.String(), "application/json")
						if err != nil {
							t.Error(err)
							close(answer)
							return
						}
						defer response.Body.Close()          //nolint:errcheck // it was only read
						body, _ := io.ReadAll(response.Body) // the client has read it already
						answer <- apitest.Answer{Status: response.StatusCode, Header: response.Header, Body: string(body)}
					}()
				}
				for _, server := range []*apitest.Server{here, there} {
					until(t, func() bool { return server.Feed.Streams() == 3 }) // two streams and a long poll
				}
				if err := e.end(); err != nil {
					t.Fatal(err)
				}
				if e.isGood(t, here) {
					t.Error("the server that ended it accepts it")
				}
				until(t, func() bool { return !e.isGood(t, there) })
				here.Send(t, "alice", "bob", "too late")
				there.Send(t, "alice", "bob", "too late")
				for protocol, stream := range streams {
					text, err := io.ReadAll(stream)
					if err != nil || strings.Contains(string(text), "too late") || !lastRetry(string(text)) {
						t.Errorf("%s: it brought %q: %v", protocol, text, err)
					}
				}
				for _, answer := range polls {
					if a := <-answer; a.Status != http.StatusUnauthorized || !strings.Contains(a.Body, ":credential-"+e.problem) || a.Header.Get("WWW-Authenticate") == "" {
						t.Errorf("a long poll is answered %d %v: %s", a.Status, a.Header, a.Body)
					}
				}
			})
		}
	})
}

// TestCredentialOfIdleStreamEnds revokes the key of streams to which nothing is written: they end long before a heartbeat would find out.
func TestCredentialOfIdleStreamEnds(t *testing.T) {
	t.Parallel()
	s := apitest.StartWith(t, dbtest.NewURL(t, db.SQLite), app.Options{H2C: true, API: httpapi.Options{Authenticate: true}})
	e := endings(t, s, nil)["a revoked key"]()
	var streams []io.Reader
	for _, server := range []*apitest.Server{s, overHTTP2(t, s)} {
		response, err := e.request(t, server, "", "text/event-stream")
		if err != nil || response.StatusCode != http.StatusOK {
			t.Fatalf("answered %+v: %v", response, err)
		}
		defer response.Body.Close() //nolint:errcheck // it was read to its end
		streams = append(streams, response.Body)
	}
	if err := e.end(); err != nil {
		t.Fatal(err)
	}
	revoked := time.Now()
	for i, stream := range streams {
		text, err := io.ReadAll(stream)
		if took := time.Since(revoked); err != nil || took > 10*time.Second || !lastRetry(string(text)) {
			t.Errorf("stream %d ends after %s with %q: %v", i, took, text, err)
		}
	}
}

// TestCredentialOfExportEnds revokes the key of an export that is being read: the client must see that the rest is missing.
func TestCredentialOfExportEnds(t *testing.T) {
	t.Parallel()
	s := apitest.StartAuthenticated(t, dbtest.NewURL(t, db.SQLite))
	text := strings.Repeat("🐌", 4000)
	for range 500 { // 8 MB, more than the buffers of a connection hold
		s.Send(t, "alice", "bob", text)
	}
	key, secret, err := s.Identity.CreateKey(t.Context(), identity.Operator, identity.KeyRequest{Name: "export", Scopes: []identity.Scope{identity.UsersExport}})
	if err != nil {
		t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/v1/users/bob/export", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+secret)
	response, err := (&http.Client{Transport: &http.Transport{DialContext: dialSmall}}).Do(request)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("answered %+v: %v", response, err)
	}
	defer response.Body.Close() //nolint:errcheck // it is not complete
	if _, err := io.ReadFull(response.Body, make([]byte, 32<<10)); err != nil {
		t.Fatal(err)
	}
	if err := s.Identity.RevokeKey(t.Context(), identity.Operator, key.ID); err != nil {
		t.Fatal(err)
	}
	if read, err := io.Copy(io.Discard, response.Body); err == nil {
		t.Errorf("after %d bytes more it ended as if it were complete", read)
	}
}

// dialSmall dials a connection with a small buffer.
func dialSmall(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, address)
	if err == nil {
		err = conn.(*net.TCPConn).SetReadBuffer(128 << 10)
	}
	return conn, err
}

// isGood reports whether a request with the credential is answered, and checks how it is refused otherwise.
func (e ending) isGood(t *testing.T, s *apitest.Server) bool {
	t.Helper()
	response, err := e.request(t, s, "limit=1", "application/json")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // it was only read
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	switch response.StatusCode {
	case http.StatusOK:
		return true
	case http.StatusUnauthorized:
		if !strings.Contains(string(body), ":credential-"+e.problem) {
			t.Errorf("it is refused with %s", body)
		}
	default:
		t.Errorf("answered %s: %s", response.Status, body)
	}
	return false
}

// lastRetry reports whether a stream ends with a line that says when to come back, after a whole event.
func lastRetry(stream string) bool {
	before, last, found := strings.Cut(strings.TrimSuffix(stream, "\n\n"), "\n\nretry: ")
	return found && before != "" && last != "" && strings.Trim(last, "0123456789") == ""
}

// overHTTP2 is a client of the same server that speaks HTTP/2.
func overHTTP2(t *testing.T, s *apitest.Server) *apitest.Server {
	t.Helper()
	transport := &http.Transport{Protocols: new(http.Protocols)}
	transport.Protocols.SetUnencryptedHTTP2(true)
	return &apitest.Server{Client: apitest.NewClientOver(t, s.URL, transport), App: s.App, DatabaseURL: s.DatabaseURL}
}
