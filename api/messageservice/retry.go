package messageservice

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"net/http"
	"strconv"
	"time"

	"github.com/hashicorp/go-cleanhttp"
	"github.com/hashicorp/go-retryablehttp"

	"github.com/message-service/message-service/gen/client"
)

// The SDKs of all languages repeat requests alike.
const (
	maxRepeats    = 4
	shortestWait  = 200 * time.Millisecond
	longestWait   = 10 * time.Second
	maxRetryAfter = time.Minute // an answer that asks for more is returned at once
	usualTimeout  = 30 * time.Second
)

// NewRetryingHTTPClient returns an HTTP client for client.WithHTTPClient that repeats
// a request up to four times when the connection fails (but not for a certificate
// that is refused), when there is no whole answer within 30 seconds, or when it is 429, 502,
// 503 or 504. It waits for as long as Retry-After says, if that is no more than a minute, and
// else for longer each time, from 0.2 to 10 seconds, and a little more at random, so that
// many clients do not come back at once.
//
// It repeats only what may be repeated (RFC 9110, 9.2.2): GET, HEAD, OPTIONS, PUT
// and DELETE, and a POST that has an Idempotency-Key. Use a new key for each
// message.
//
// A list of changes that is held may take longer, by what its wait asks for. An export and a
// stream need only begin in time. A request for a stream is never repeated: that is left to
// [Follow], which knows where to go on.
func NewRetryingHTTPClient() *http.Client { return newRetryingHTTPClient(usualTimeout, nil) }

// WithTimeout makes a client as [NewRetryingHTTPClient] does that gives each attempt another
// time than 30 seconds, such as more to erase a user who has written very much.
func WithTimeout(timeout time.Duration) client.ClientOption {
	return client.WithHTTPClient(newRetryingHTTPClient(timeout, nil))
}

// WithTLS makes a client as [NewRetryingHTTPClient] does that connects by this configuration,
// such as one whose RootCAs hold an authority of your own. Of this and [WithTimeout] the last
// counts.
func WithTLS(config *tls.Config) client.ClientOption {
	return client.WithHTTPClient(newRetryingHTTPClient(usualTimeout, config))
}

func newRetryingHTTPClient(timeout time.Duration, config *tls.Config) *http.Client {
	retrying := retryablehttp.NewClient()
	retrying.Logger = nil
	retrying.RetryMax = maxRepeats
	retrying.RetryWaitMin = shortestWait
	retrying.RetryWaitMax = longestWait
	retrying.ErrorHandler = retryablehttp.PassthroughErrorHandler
	retrying.CheckRetry = mayTryAgain
	retrying.Backoff = backoff
	pooled := cleanhttp.DefaultPooledTransport()
	pooled.TLSClientConfig = config
	transport := &timedTransport{next: pooled, timeout: timeout}
	retrying.HTTPClient.Transport = transport
	return &http.Client{Transport: &retryTransport{
		repeated: &retryablehttp.RoundTripper{Client: retrying},
		once:     transport,
	}}
}

// mayTryAgain reports whether another attempt may succeed, and soon enough to wait for it.
func mayTryAgain(ctx context.Context, response *http.Response, err error) (bool, error) {
	if err != nil || ctx.Err() != nil {
		return retryablehttp.DefaultRetryPolicy(ctx, response, err)
	}
	switch response.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return retryAfter(response) <= maxRetryAfter, nil
	}
	return false, nil
}

// backoff is how long to wait after an attempt that failed, the first of which is 0.
func backoff(shortest, longest time.Duration, attempt int, response *http.Response) time.Duration {
	wait := retryAfter(response)
	if wait == 0 {
		wait = min(shortest<<min(attempt, 20), longest)
	}
	return wait + rand.N(wait/4+1)
}

// retryAfter is how long an answer asks to wait, or 0 if it does not: in seconds, or until a
// date, which is compared with that of the answer, since the clock here may be wrong.
func retryAfter(response *http.Response) time.Duration {
	if response == nil {
		return 0
	}
	value := response.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	until, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	return max(until.Sub(now), 0)
}

// retryTransport sends each request by the one transport or the other.
type retryTransport struct{ repeated, once http.RoundTripper }

// RoundTrip sends a request.
func (t *retryTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Header.Get("Accept") == eventStream {
		return t.once.RoundTrip(request)
	}
	switch request.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodDelete:
		return t.repeated.RoundTrip(request)
	}
	if request.Header.Get("Idempotency-Key") != "" {
		return t.repeated.RoundTrip(request)
	}
	return t.once.RoundTrip(request)
}

// timedTransport gives an answer a time to arrive as a whole, but streams only to begin. What
// breaks before an answer is whole is an error of the attempt, and so may be tried again.
type timedTransport struct {
	next    http.RoundTripper
	timeout time.Duration
}

// RoundTrip sends a request.
func (t *timedTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	timeout := t.timeout + held(request)
	ctx, cancel := context.WithCancelCause(request.Context())
	timer := time.AfterFunc(timeout, func() { cancel(fmt.Errorf("no whole answer within %s", timeout)) })
	response, err := t.next.RoundTrip(request.WithContext(ctx))
	if err == nil && isEndless(response) && timer.Stop() {
		response.Body = leavingBody{response.Body, cancel}
		return response, nil
	}
	defer cancel(nil)
	defer timer.Stop()
	if err == nil {
		err = readWhole(response)
	}
	if err != nil && request.Context().Err() == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, err
	}
	return response, nil
}

// held is how long a request asks the service to wait for a change.
func held(request *http.Request) time.Duration {
	seconds, err := strconv.ParseUint(request.URL.Query().Get("wait"), 10, 31)
	if err != nil {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// isEndless reports whether an answer is a stream of changes or an export, of any length.
func isEndless(response *http.Response) bool {
	mediaType, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")) // empty if it cannot be parsed
	return mediaType == eventStream || mediaType == "application/x-ndjson"
}

// readWhole puts the body of an answer into memory.
func readWhole(response *http.Response) error {
	defer response.Body.Close() //nolint:errcheck // it was read to its end, or there is another error
	body, err := io.ReadAll(response.Body)
	response.Body = io.NopCloser(bytes.NewReader(body))
	return err
}

// leavingBody gives back what its connection holds when it is closed.
type leavingBody struct {
	io.ReadCloser
	cancel context.CancelCauseFunc
}

// Close closes the body.
func (b leavingBody) Close() error {
	defer b.cancel(nil)
	return b.ReadCloser.Close()
}
