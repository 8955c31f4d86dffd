package messageservice

import (
	"net/http"
	"time"

	"github.com/hashicorp/go-retryablehttp"
)

// NewRetryingHTTPClient returns an HTTP client for client.WithHTTPClient that repeats a
// request up to four times when the connection fails or the answer is 429 or 5xx.
// It waits for as long as Retry-After says, and else for longer each time, from
// 0.2 to 10 seconds.
//
// It repeats only what may be repeated (RFC 9110, 9.2.2): GET, HEAD, OPTIONS, PUT
// and DELETE, and a POST that has an Idempotency-Key. Use a new key for each
// message.
func NewRetryingHTTPClient() *http.Client {
	retrying := retryablehttp.NewClient()
	retrying.Logger = nil
	retrying.RetryMax = 4
	retrying.RetryWaitMin = 200 * time.Millisecond
	retrying.RetryWaitMax = 10 * time.Second
	retrying.ErrorHandler = retryablehttp.PassthroughErrorHandler
	return &http.Client{Transport: &retryTransport{
		repeated: &retryablehttp.RoundTripper{Client: retrying},
		once:     retrying.HTTPClient.Transport,
	}}
}

// retryTransport sends each request by the one transport or the other.
type retryTransport struct{ repeated, once http.RoundTripper }

// RoundTrip sends a request.
func (t *retryTransport) RoundTrip(request *http.Request) (*http.Response, error) {
	switch request.Method {
	case http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodDelete:
		return t.repeated.RoundTrip(request)
	}
	if request.Header.Get("Idempotency-Key") != "" {
		return t.repeated.RoundTrip(request)
	}
	return t.once.RoundTrip(request)
}
