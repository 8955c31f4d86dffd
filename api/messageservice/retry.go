package messageservice

import (
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/hashicorp/go-cleanhttp"
	"github.com/hashicorp/go-retryablehttp"
)

// NewRetryingHTTPClient returns an HTTP client for client.WithHTTPClient that repeats
// a request up to four times when the connection fails (but not for a certificate
// that is refused) or the answer is 429 or 5xx (but 501). It waits for as long as
// Retry-After says, and else for longer each time, from 0.2 to 10 seconds, and a
// little more at random, so that many clients do not come back at once. An answer
// that does not begin within 75 seconds is a failed connection: a list of changes may
// be held for 60.
//
// It repeats only what may be repeated (RFC 9110, 9.2.2): GET, HEAD, OPTIONS, PUT
// and DELETE, and a POST that has an Idempotency-Key. Use a new key for each
// message. A request for a stream is left to [Follow], which knows where to go on.
func NewRetryingHTTPClient() *http.Client {
	retrying := retryablehttp.NewClient()
	retrying.Logger = nil
	retrying.RetryMax = 4
	retrying.RetryWaitMin = 200 * time.Millisecond
	retrying.RetryWaitMax = 10 * time.Second
	retrying.ErrorHandler = retryablehttp.PassthroughErrorHandler
	retrying.Backoff = backoff
	transport := cleanhttp.DefaultPooledTransport()
	transport.ResponseHeaderTimeout = 75 * time.Second // more than the service holds a request, or takes to say 503
	retrying.HTTPClient.Transport = transport
	return &http.Client{Transport: &retryTransport{
		repeated: &retryablehttp.RoundTripper{Client: retrying},
		once:     transport,
	}}
}

// backoff is how long to wait after an attempt that failed, the first of which is 0.
func backoff(shortest, longest time.Duration, attempt int, response *http.Response) time.Duration {
	wait := retryablehttp.DefaultBackoff(shortest, longest, attempt, response)
	return wait + rand.N(wait/4+1)
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
