package messageservice

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/message-service/message-service/gen/client"
)

// numbered is a source whose tokens are t1, t2 and so on, and which fails at the given numbers.
func numbered(asked *atomic.Int64, fails ...int64) client.ClientOption {
	return WithTokenSource(func(context.Context) (string, error) {
		n := asked.Add(1)
		if slices.Contains(fails, n) {
			return "", errors.New("signed out")
		}
		return fmt.Sprintf("t%d", n), nil
	})
}

// TestTokenShared sends requests at once whose token has expired: they wait for one new token, and if the
// source fails, all fail by that.
func TestTokenShared(t *testing.T) {
	t.Parallel()
	const requests = 20
	for want, fails := range map[string]bool{"200 OK": false, "there is no token: signed out": true} {
		synctest.Test(t, func(t *testing.T) {
			var refused, asked atomic.Int64
			service := service(func(r *http.Request) *http.Response {
				if r.Header.Get("Authorization") != "Bearer t1" {
					return &http.Response{Status: "200 OK", StatusCode: http.StatusOK, Body: http.NoBody}
				}
				<-time.After(time.Second) // in the time of the bubble: until all have been sent
				refused.Add(1)
				answer := httptest.NewRecorder()
				refuses(http.StatusUnauthorized, CredentialExpired)(t, answer, r)
				return answer.Result()
			})
			source := WithTokenSource(func(context.Context) (string, error) {
				n := asked.Add(1)
				<-time.After(time.Second) // until all wait for it
				if fails && n == 2 {
					return "", errors.New("signed out")
				}
				return fmt.Sprintf("t%d", n), nil
			})
			api := newClient(t, "http://localhost", source, client.WithHTTPClient(service))
			var calls sync.WaitGroup
			for range requests {
				calls.Go(func() {
					response, err := api.GetLimits(t.Context())
					if got := statusOf(response, err); got != want {
						t.Errorf("the answer is %s, want %s", got, want)
					}
				})
			}
			calls.Wait()
			if asked.Load() != 2 || refused.Load() != requests {
				t.Errorf("the source was asked %d times, and %d requests had the first token", asked.Load(), refused.Load())
			}
		})
	}
}

// service is a service in memory.
type service func(*http.Request) *http.Response

func (s service) Do(request *http.Request) (*http.Response, error) { return s(request), nil }

// statusOf is the status of an answer, or the error.
func statusOf(response *http.Response, err error) string {
	if err == nil {
		err = response.Body.Close()
	}
	if err != nil {
		return err.Error()
	}
	return response.Status
}

// TestTokenSourceOutlivesACall cancels the call for which the source is asked: another one that waits gets the token.
func TestTokenSourceOutlivesACall(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	begun, goOn := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(server.Close)
	api := newClient(t, server.URL, WithTokenSource(func(ctx context.Context) (string, error) {
		asked.Add(1)
		close(begun)
		<-goOn
		return "t", ctx.Err()
	}))
	ctx, cancel := context.WithCancel(t.Context())
	first, second := make(chan error), make(chan error)
	get := func(ctx context.Context, done chan error) {
		response, err := api.GetLimits(ctx)
		if err == nil {
			err = response.Body.Close()
		}
		done <- err
	}
	go get(ctx, first)
	<-begun
	go get(t.Context(), second)
	cancel()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("the first call ended with %v", err)
	}
	close(goOn)
	if err := <-second; err != nil || asked.Load() != 1 {
		t.Errorf("the second call ended with %v, and the source was asked %d times", err, asked.Load())
	}
}

// TestTokenStays checks that no redirect takes a token along, whatever the HTTP client and the order of options,
// and that a client without one follows redirects as before.
func TestTokenStays(t *testing.T) {
	t.Parallel()
	var seen []string
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Get("Authorization"))
	}))
	t.Cleanup(elsewhere.Close)
	server := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusFound))
	t.Cleanup(server.Close)
	token, other := WithToken("secret"), client.WithHTTPClient(&http.Client{})
	for name, options := range map[string][]client.ClientOption{
		"a token":             {token},
		"and a time":          {token, WithTimeout(time.Minute)},
		"in the other order":  {WithTimeout(time.Minute), token},
		"and a client":        {token, other},
		"another order again": {other, token},
	} {
		_, err := Check(newClient(t, server.URL, options...).GetLimitsWithResponse(t.Context()))
		if err == nil || err.Error() != "answered 302 Found" || len(seen) > 0 {
			t.Errorf("%s: %v, and the other server was asked with %q", name, err, seen)
		}
	}
	if _, err := Check(newClient(t, server.URL).GetLimitsWithResponse(t.Context())); err != nil || !slices.Equal(seen, []string{""}) {
		t.Errorf("without a token: %v, and the other server was asked with %q", err, seen)
	}
}

// TestTokenOrder checks that the last token counts, and that a request keeps an Authorization of its own.
func TestTokenOrder(t *testing.T) {
	t.Parallel()
	var seen []string
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Get("Authorization"))
	}))
	t.Cleanup(server.Close)
	var asked atomic.Int64
	api := newClient(t, server.URL, numbered(&asked), WithToken("secret"), WithTimeout(time.Minute))
	own := func(_ context.Context, request *http.Request) error {
		request.Header.Set("Authorization", "Basic x")
		return nil
	}
	for _, editors := range [][]client.RequestEditorFn{nil, {own}} {
		if _, err := api.GetLimitsWithResponse(t.Context(), editors...); err != nil {
			t.Error(err)
		}
	}
	if !slices.Equal(seen, []string{"Bearer secret", "Basic x"}) || asked.Load() > 0 {
		t.Errorf("it sent %q, and the first source was asked %d times", seen, asked.Load())
	}
}

// TestTokenRefused refuses what is no token, without showing it. An empty one is none.
func TestTokenRefused(t *testing.T) {
	t.Parallel()
	for _, token := range []string{"", "secret\n", "secret\r\nHost: x", "se cret", "Bearer secret", "secret=x"} {
		if _, err := New("http://localhost", WithToken(token)); (err == nil) != (token == "") || err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", token, err)
		}
		source := WithTokenSource(func(context.Context) (string, error) { return token, nil })
		if _, err := newClient(t, "http://localhost:1", source).GetLimitsWithResponse(t.Context()); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q from a source: %v", token, err)
		}
	}
}

// TestFollowRenews follows streams that end with their tokens, while the source fails once.
func TestFollowRenews(t *testing.T) {
	t.Parallel()
	expired := refuses(http.StatusUnauthorized, CredentialExpired)
	s := serve(t,
		says(ready(1, 0), change(2)), // ends, since t1 has expired
		expired, says(ready(2, 0), change(3), change(4)),
		refuses(http.StatusUnauthorized, CredentialRevoked), // and the source fails
		stays(0, ready(4, 0), change(5)),
	)
	var asked atomic.Int64
	var lost []string
	options := &FollowOptions{Lost: func(err error, _ time.Duration) { lost = append(lost, err.Error()) }}
	if texts, err := s.follow(t, options, 4, numbered(&asked, 3)); err != nil || texts != "2 3 4 5" {
		t.Errorf("followed %s: %v", texts, err)
	}
	s.wantAsked(t, -1, 2, 2, 4, 4)
	if want := []string{"Bearer t1", "Bearer t1", "Bearer t2", "Bearer t2", "Bearer t4"}; !slices.Equal(s.tokens, want) {
		t.Errorf("the tokens were %q, want %q", s.tokens, want)
	}
	if want := []string{"the stream has ended", "the stream has ended", "there is no token: signed out"}; !slices.Equal(lost, want) {
		t.Errorf("lost %q", lost)
	}
}

// TestFollowRefused ends following when a token is refused that another one cannot replace.
func TestFollowRefused(t *testing.T) {
	t.Parallel()
	refused := func(kind string) connection { return refuses(http.StatusUnauthorized, kind) }
	for kind, script := range map[string][]connection{
		CredentialExpired:  {refused(CredentialExpired), refused(CredentialExpired)},
		CredentialRevoked:  {refused(CredentialExpired), refused(CredentialRevoked)},
		CredentialInvalid:  {refused(CredentialInvalid)},
		CredentialRequired: {refused(CredentialRequired)},
		Forbidden:          {refuses(http.StatusForbidden, Forbidden)},
		InsufficientScope:  {refuses(http.StatusForbidden, InsufficientScope)},
	} {
		s := serve(t, script...)
		var asked atomic.Int64
		_, err := s.follow(t, nil, 1, numbered(&asked))
		if problem, ok := errors.AsType[*ProblemError](err); !ok || problem.Type != kind || len(s.asked) != len(script) || int(asked.Load()) != len(script) {
			t.Errorf("%s: %v after %d requests with %d tokens", kind, err, len(s.asked), asked.Load())
		}
	}
	s := serve(t, refused(CredentialExpired))
	if _, err := s.follow(t, nil, 1, WithToken("t")); err == nil || len(s.asked) != 1 {
		t.Errorf("a fixed token: %v after %d requests", err, len(s.asked))
	}
}
