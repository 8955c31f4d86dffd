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

// The SDKs of all languages retry by these rules.
const (
	maxRetries    = 4
	shortestWait  = 200 * time.Millisecond
	longestWait   = 10 * time.Second
	maxRetryAfter = time.Minute // an answer whose Retry-After is longer is returned at once
	attemptTime   = 30 * time.Second
)

// NewRetryingHTTPClient returns an HTTP client for client.WithHTTPClient that retries a
// request up to four times: when the connection fails (except for a rejected certificate),
// when the answer is not complete within 30 seconds, or when its status is 429, 502, 503 or
// 504. It waits as long as Retry-After says, if that is at most a minute. Otherwise it backs
// off exponentially from 0.2 to 10 seconds. Up to a quarter of jitter keeps many clients from
// returning at once.
//
// It retries only idempotent requests (RFC 9110, 9.2.2): GET, HEAD, OPTIONS, PUT and DELETE,
// and a POST with an Idempotency-Key. Use a new key for each message.
//
// The time of a long poll (the wait of a list of changes) is added to the timeout. An export
// or a stream need only begin in time. A request for a stream is never retried here: [Follow]
// does so, since it knows where to resume.
func NewRetryingHTTPClient() *http.Client { return newRetryingHTTPClient(attemptTime, nil) }

// WithTimeout uses a client like that of [NewRetryingHTTPClient] with another timeout for each
// attempt than 30 seconds. Erasing a user with very many messages, for one, may need more.
func WithTimeout(timeout time.Duration) client.ClientOption {
	return client.WithHTTPClient(newRetryingHTTPClient(timeout, nil))
}

// WithTLS uses a client like that of [NewRetryingHTTPClient] with this TLS configuration, such
// as one whose RootCAs hold your own certificate authority. It and [WithTimeout] replace each
// other: the last one counts.
func WithTLS(config *tls.Config) client.ClientOption {
	return client.WithHTTPClient(newRetryingHTTPClient(attemptTime, config))
}

func newRetryingHTTPClient(timeout time.Duration, config *tls.Config) *http.Client {
	retrying := retryablehttp.NewClient()
	retrying.Logger = nil
	retrying.RetryMax = maxRetries
	retrying.RetryWaitMin = shortestWait
	retrying.RetryWaitMax = longestWait
	retrying.ErrorHandler = retryablehttp.PassthroughErrorHandler
	retrying.CheckRetry = shouldRetry
	retrying.Backoff = backoff
	pooled := cleanhttp.DefaultPooledTransport()
	pooled.TLSClientConfig = config
	transport := &timedTransport{next: pooled, timeout: timeout}
	retrying.HTTPClient.Transport = transport
	retrying.HTTPClient.CheckRedirect = useRedirect // the client around it decides
	return &http.Client{Transport: &retryTransport{
		retried: &retryablehttp.RoundTripper{Client: retrying},
		once:    transport,
	}}
}

// shouldRetry reports whether another attempt may succeed, and within a reasonable wait.
func shouldRetry(ctx context.Context, response *http.Response, err error) (bool, error) {
	if err != nil || ctx.Err() != nil {
		return retryablehttp.DefaultRetryPolicy(ctx, response, err)
	}
	switch response.StatusCode {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return retryAfter(response) <= maxRetryAfter, nil
	}
	return false, nil
}

// backoff returns how long to wait after a failed attempt; the first attempt is number 0.
func backoff(shortest, longest time.Duration, attempt int, response *http.Response) time.Duration {
	wait := retryAfter(response)
	if wait == 0 {
		wait = min(shortest<<min(attempt, 20), longest)
	}
	return wait + rand.N(wait/4+1)
}

// retryAfter returns how long the answer's Retry-After asks to wait, or 0 without one. A date in
// it is compared with the answer's own Date, since the local clock may be wrong.
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

// retryTransport retries idempotent requests and sends all others once.
type retryTransport struct{ retried, once http.RoundTripper }

// RoundTrip sends a request.
func (t *retryTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Header.Get("Accept") == eventStream {
		return t.once.RoundTrip(request)
	}
	switch request.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodDelete:
		return t.retried.RoundTrip(request)
	}
	if request.Header.Get("Idempotency-Key") != "" {
		return t.retried.RoundTrip(request)
	}
	return t.once.RoundTrip(request)
}

// timedTransport limits the time until an answer is complete; a stream need only begin in time.
// It reads the whole body, so that a connection that breaks halfway fails the attempt and can be
// retried.
type timedTransport struct {
	next    http.RoundTripper
	timeout time.Duration
}

// RoundTrip sends a request.
func (t *timedTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	timeout := t.timeout + waitOf(request)
	ctx, cancel := context.WithCancelCause(request.Context())
	timer := time.AfterFunc(timeout, func() { cancel(fmt.Errorf("no whole answer within %s", timeout)) })
	response, err := t.next.RoundTrip(request.WithContext(ctx))
	if err == nil && isStreamed(response) && timer.Stop() {
		response.Body = cancelingBody{response.Body, cancel}
		return response, nil
	}
	defer cancel(nil)
	defer timer.Stop()
	if err == nil {
		err = buffer(response)
	}
	if err != nil && request.Context().Err() == nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return nil, err
	}
	return response, nil
}

// waitOf returns how long a request asks the service to wait for a change (long polling).
func waitOf(request *http.Request) time.Duration {
	seconds, err := strconv.ParseUint(request.URL.Query().Get("wait"), 10, 31)
	if err != nil {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// isStreamed reports whether an answer is a stream of changes or an export, which may be of any length.
func isStreamed(response *http.Response) bool {
	mediaType, _, _ := mime.ParseMediaType(response.Header.Get("Content-Type")) // empty if it cannot be parsed
	return mediaType == eventStream || mediaType == "application/x-ndjson"
}

// buffer reads the body of an answer into memory.
func buffer(response *http.Response) error {
	defer response.Body.Close() //nolint:errcheck // it was read to its end, or has failed already
	body, err := io.ReadAll(response.Body)
	response.Body = io.NopCloser(bytes.NewReader(body))
	return err
}

// cancelingBody cancels the context of its request when it is closed.
type cancelingBody struct {
	io.ReadCloser
	cancel context.CancelCauseFunc
}

// Close closes the body and cancels the request.
func (b cancelingBody) Close() error {
	defer b.cancel(nil)
	return b.ReadCloser.Close()
}
