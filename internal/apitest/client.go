package apitest

import (
	"context"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/message-service/message-service/gen/client"
)

// Client is the generated client, with every answer checked against the contract.
type Client struct {
	*client.ClientWithResponses

	URL     string
	HTTP    *http.Client
	checker *checker
	sends   atomic.Int64 // by SendRequest
}

// Insist makes the client repeat what is refused with 503, as clients do: keyed sends, and
// all that is no send. It is for several replicas on one SQLite file, which does not queue those
// who write: one that is unlucky for five seconds is refused, and on a busy machine one is.
func (c *Client) Insist() { c.checker.insists = true }

// NewClient makes a client of the server at url.
func NewClient(t testing.TB, url string) *Client {
	t.Helper()
	return NewClientOver(t, url, http.DefaultTransport.(*http.Transport).Clone())
}

// NewClientOver is [NewClient] with a transport of its own.
func NewClientOver(t testing.TB, url string, transport *http.Transport) *Client {
	t.Helper()
	transport.MaxIdleConnsPerHost = 256 // tests send many requests at once; each keeps its connection for the next
	t.Cleanup(transport.CloseIdleConnections)
	checker := &checker{t: t, next: transport}
	doer := &http.Client{
		Transport:     checker,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	api, err := client.NewClientWithResponses(url, client.WithHTTPClient(doer))
	if err != nil {
		t.Fatal(err)
	}
	return &Client{ClientWithResponses: api, URL: url, HTTP: doer, checker: checker}
}

// Answer is the answer to a request of Do.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Do sends a request that the generated client would not. The header lines are
// "Name: value", Host among them.
func (c *Client) Do(t testing.TB, method, path string, body io.Reader, header ...string) Answer {
	t.Helper()
	request, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), method, c.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		if request.Header.Add(name, value); name == "Host" { // which net/http takes from elsewhere
			request.Host = value
		}
	}
	response, err := c.HTTP.Do(request)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	defer response.Body.Close() //nolint:errcheck // it was read to its end
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return Answer{response.StatusCode, response.Header, string(text)}
}
