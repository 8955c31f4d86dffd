package messageservice

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"sync"

	"github.com/message-service/message-service/gen/client"
)

// WithToken sends a credential with each request, as "Authorization: Bearer": a user token or a
// service key. With a token redirects are not followed, since they could lead it elsewhere, and
// a request that has an Authorization of its own keeps that. An empty token sends none.
func WithToken(token string) client.ClientOption {
	if token == "" {
		return func(*client.Client) error { return nil }
	}
	return withTokens(&tokens{token: token})
}

// WithTokenSource is [WithToken] for tokens that end. The source is asked at the first request,
// and its token is kept for the next ones. When the service answers that the token has expired or
// was revoked, the source is asked once more and the request repeated with the new token. If that
// is refused too, the answer is an error. Requests that wait for a token wait for the same one.
//
// A source must be safe for concurrent use. Its context ends after 30 seconds. If it fails, so do
// the requests that wait for it; [Follow] reports that to its Lost, and tries again.
func WithTokenSource(source func(ctx context.Context) (string, error)) client.ClientOption {
	return withTokens(&tokens{source: source})
}

func withTokens(t *tokens) client.ClientOption {
	return func(c *client.Client) error {
		if c.Client == nil {
			c.Client = NewRetryingHTTPClient()
		}
		c.Client = &authorizer{tokens: t, next: c.Client}
		if t.source == nil {
			return checkToken(t.token)
		}
		return nil
	}
}

// applyInAnyOrder applies options such that the last HTTP client counts, and the last token,
// whichever of the two comes first.
func applyInAnyOrder(c *client.Client, options []client.ClientOption) error {
	var last *authorizer
	for _, option := range options {
		if err := option(c); err != nil {
			return err
		}
		if a, ok := c.Client.(*authorizer); ok {
			last, c.Client = a, a.next
		}
	}
	if last != nil {
		c.Client = &authorizer{tokens: last.tokens, next: withoutRedirects(c.Client)}
	}
	return nil
}

func withoutRedirects(next client.HttpRequestDoer) client.HttpRequestDoer {
	if own, ok := next.(*http.Client); ok {
		strict := *own
		strict.CheckRedirect = useRedirect
		return &strict
	}
	return next
}

// useRedirect returns a redirect as the answer.
func useRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// authorizer sends a token with each request.
type authorizer struct {
	tokens *tokens
	next   client.HttpRequestDoer
}

// Do sends a request, and sends it again if its token has ended and there is another one.
func (a *authorizer) Do(request *http.Request) (*http.Response, error) {
	if request.Header.Get("Authorization") != "" {
		return a.next.Do(request)
	}
	ctx := request.Context()
	if err := makeReplayable(request); err != nil {
		return nil, err
	}
	token, err := a.tokens.get(ctx, "")
	if err != nil {
		return nil, err
	}
	response, err := a.send(request, token)
	if err != nil || a.tokens.source == nil || !hasEnded(response) {
		return response, err
	}
	_ = response.Body.Close() // it is not needed any more
	if token, err = a.tokens.get(ctx, token); err != nil {
		return nil, err
	}
	return a.send(request, token)
}

func (a *authorizer) send(request *http.Request, token string) (*http.Response, error) {
	attempt := request.Clone(request.Context())
	attempt.Header.Set("Authorization", "Bearer "+token)
	if request.GetBody != nil {
		body, err := request.GetBody()
		if err != nil {
			return nil, err
		}
		attempt.Body = body
	}
	return a.next.Do(attempt)
}

// makeReplayable reads a body into memory that net/http cannot rewind: one of the caller's own reader.
func makeReplayable(request *http.Request) error {
	if request.Body == nil || request.GetBody != nil {
		return nil
	}
	body, err := io.ReadAll(request.Body)
	if err != nil {
		return err
	}
	request.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	return request.Body.Close()
}

// maxProblemBytes is more than the service writes in a problem document.
const maxProblemBytes = 64 << 10

// hasEnded reports whether an answer refuses a token that was good before. Its body can still be read.
func hasEnded(response *http.Response) bool {
	if response.StatusCode != http.StatusUnauthorized {
		return false
	}
	text, err := io.ReadAll(io.LimitReader(response.Body, maxProblemBytes))
	response.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(text), response.Body), response.Body}
	if err != nil {
		return false // the caller meets the same error when it reads the body
	}
	problem, ok := errors.AsType[*ProblemError](asError(response.Status, response.Header.Get("Content-Type"), text))
	return ok && (problem.Type == CredentialExpired || problem.Type == CredentialRevoked)
}

// tokens remembers the token of a source.
type tokens struct {
	source func(ctx context.Context) (string, error) // nil if the token is fixed

	mu     sync.Mutex
	token  string // empty before the first, and when it has ended
	asking *answer
}

// answer is that of the source to all who wait for it.
type answer struct {
	done  chan struct{}
	token string
	err   error
}

// get returns a token other than the refused one: the one it remembers, or else the next of the source.
func (t *tokens) get(ctx context.Context, refused string) (string, error) {
	t.mu.Lock()
	if t.token == refused {
		t.token = "" // nobody else shall try it
	}
	token, asking := t.token, t.asking
	if token == "" && asking == nil {
		asking = &answer{done: make(chan struct{})}
		t.asking = asking
		go t.ask(context.WithoutCancel(ctx), asking) // others may wait when this request has been cancelled
	}
	t.mu.Unlock()
	if token != "" {
		return token, nil
	}
	select {
	case <-asking.done:
		return asking.token, asking.err
	case <-ctx.Done():
		return "", context.Cause(ctx)
	}
}

// ask asks the source, and keeps its token unless it fails.
func (t *tokens) ask(ctx context.Context, a *answer) {
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	token, err := t.source(ctx)
	if err == nil {
		err = checkToken(token)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.asking = nil; err == nil {
		t.token, a.token = token, token
	} else {
		a.err = fmt.Errorf("there is no token: %w", err)
	}
	close(a.done)
}

var bearer = regexp.MustCompile(`^[A-Za-z0-9._~+/-]+=*$`) // RFC 6750, 2.1

// checkToken refuses what cannot be sent in a header. Its error does not show it.
func checkToken(token string) error {
	if !bearer.MatchString(token) {
		return errors.New("a token consists of letters, digits and the characters -._~+/, with = only at its end")
	}
	return nil
}
