package apitest

import (
	"context"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/uuid"

	"github.com/message-service/message-service/api/messageservice"
	"github.com/message-service/message-service/gen/client"
)

// Client is the generated client, with every response validated against the contract.
type Client struct {
	*client.ClientWithResponses

	URL     string
	HTTP    *http.Client
	checker *checker
	sends   atomic.Int64 // by SendRequest
}

// RetryUnavailable makes the client retry requests that are refused with 503, except sends without
// an idempotency key. Several replicas on one SQLite file need it: SQLite does not queue writers, so
// on a busy machine one may not get the lock within its five seconds.
func (c *Client) RetryUnavailable() { c.checker.retries = true }

// NewClient makes a client of the server at url.
func NewClient(t testing.TB, url string) *Client {
	t.Helper()
	return NewClientOver(t, url, http.DefaultTransport.(*http.Transport).Clone())
}

// NewClientOver is [NewClient] with the given transport.
func NewClientOver(t testing.TB, url string, transport *http.Transport) *Client {
	t.Helper()
	transport.MaxIdleConnsPerHost = 256 // tests send many requests at once; each keeps its connection for the next
	t.Cleanup(transport.CloseIdleConnections)
	return newClient(url, &checker{t: t, next: transport})
}

func newClient(url string, checker *checker) *Client {
	doer := &http.Client{
		Transport:     checker,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	api, err := client.NewClientWithResponses(url, client.WithHTTPClient(doer))
	if err != nil {
		checker.t.Fatal(err)
	}
	return &Client{ClientWithResponses: api, URL: url, HTTP: doer, checker: checker}
}

// With returns a client that sends a credential, or none if it is "", with every request that has no
// Authorization. It uses the same connections.
func (c *Client) With(credential string) *Client {
	checker := *c.checker
	checker.credential = credential
	return newClient(c.URL, &checker)
}

// Answer is the answer to a request of Do.
type Answer struct {
	Status int
	Header http.Header
	Body   string
}

// Do sends a request that the generated client would not. Header lines are written
// "Name: value" and may include Host.
func (c *Client) Do(t testing.TB, method, path string, body io.Reader, header ...string) Answer {
	t.Helper()
	request, err := http.NewRequestWithContext(context.WithoutCancel(t.Context()), method, c.URL+path, body)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		if request.Header.Add(name, value); name == "Host" { // net/http ignores it in the header
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

// The methods below fail the test unless the request succeeds; a test that expects an
// error uses the generated client.

// Call wraps the results of a call of the generated client, for [Called.Must].
func Call[A messageservice.Answer](answer A, err error) Called[A] { return Called[A]{answer, err} }

// Called is the result of a call of the generated client.
type Called[A messageservice.Answer] struct {
	answer A
	err    error
}

// Must ends the test unless the response has one of the given statuses.
func (c Called[A]) Must(t testing.TB, statuses ...int) A {
	t.Helper()
	if c.err != nil {
		t.Fatal(c.err)
	}
	if !slices.Contains(statuses, c.answer.StatusCode()) {
		t.Fatalf("answered %s, want %v: %s", c.answer.Status(), statuses, c.answer.GetBody())
	}
	return c.answer
}

// Send sends a message.
func (c *Client) Send(t testing.TB, sender, recipient, text string) client.Message {
	t.Helper()
	return c.SendRequest(t, client.SendMessageRequest{Sender: sender, Recipient: recipient, Text: text})
}

// SendRequest sends a message with further members. Every second one gets an idempotency key,
// since the server handles such sends differently.
func (c *Client) SendRequest(t testing.TB, request client.SendMessageRequest) client.Message {
	t.Helper()
	params := &client.SendMessageParams{}
	if c.sends.Add(1)%2 == 0 || c.checker.retries {
		params.IdempotencyKey = new(uuid.NewString())
	}
	return *Call(c.SendMessageWithResponse(t.Context(), params, request)).Must(t, http.StatusCreated).JSON201
}

// List lists messages.
func (c *Client) List(t testing.TB, params client.ListMessagesParams) client.MessagePage {
	t.Helper()
	return *Call(c.ListMessagesWithResponse(t.Context(), &params)).Must(t, http.StatusOK).JSON200
}

// Search searches all that a user can see.
func (c *Client) Search(t testing.TB, user string, params client.SearchMessagesParams) client.MessagePage {
	t.Helper()
	return *Call(c.SearchMessagesWithResponse(t.Context(), user, &params)).Must(t, http.StatusOK).JSON200
}

// Edit edits a message.
func (c *Client) Edit(t testing.TB, id uuid.UUID, edit client.EditMessageRequest) client.Message {
	t.Helper()
	return *Call(c.EditMessageWithResponse(t.Context(), id, edit)).Must(t, http.StatusOK).JSON200
}

// Delete deletes a message.
func (c *Client) Delete(t testing.TB, id uuid.UUID) {
	t.Helper()
	Call(c.DeleteMessageWithResponse(t.Context(), id)).Must(t, http.StatusNoContent)
}

// Conversations lists a user's conversations.
func (c *Client) Conversations(t testing.TB, user string, params client.ListConversationsParams) client.ConversationPage {
	t.Helper()
	return *Call(c.ListConversationsWithResponse(t.Context(), user, &params)).Must(t, http.StatusOK).JSON200
}

// Conversation reads a user's conversation with a peer.
func (c *Client) Conversation(t testing.TB, user, peer string) client.Conversation {
	t.Helper()
	return *Call(c.GetConversationWithResponse(t.Context(), user, peer)).Must(t, http.StatusOK).JSON200
}

// Thread lists the messages of a conversation.
func (c *Client) Thread(t testing.TB, user, peer string, params client.ListConversationMessagesParams) client.MessagePage {
	t.Helper()
	return *Call(c.ListConversationMessagesWithResponse(t.Context(), user, peer, &params)).Must(t, http.StatusOK).JSON200
}

// Read marks a conversation as read up to a message.
func (c *Client) Read(t testing.TB, user, peer string, message uuid.UUID) client.ReadMarker {
	t.Helper()
	return *Call(c.SetReadMarkerWithResponse(t.Context(), user, peer, client.SetReadMarkerRequest{MessageID: message})).Must(t, http.StatusOK).JSON200
}

// Block makes a user refuse messages from a peer.
func (c *Client) Block(t testing.TB, user, peer string) {
	t.Helper()
	Call(c.BlockUserWithResponse(t.Context(), user, peer)).Must(t, http.StatusNoContent)
}

// Unblock lifts a block.
func (c *Client) Unblock(t testing.TB, user, peer string) {
	t.Helper()
	Call(c.UnblockUserWithResponse(t.Context(), user, peer)).Must(t, http.StatusNoContent)
}

// Blocks lists the peers whom a user has blocked.
func (c *Client) Blocks(t testing.TB, user string, params client.ListBlocksParams) client.BlockPage {
	t.Helper()
	return *Call(c.ListBlocksWithResponse(t.Context(), user, &params)).Must(t, http.StatusOK).JSON200
}

// Export reads the export of a user, without its end record.
func (c *Client) Export(t testing.TB, user string) []client.ExportRecord {
	t.Helper()
	var records []client.ExportRecord
	for record, err := range messageservice.Export(t.Context(), c, user) {
		if err != nil {
			t.Fatalf("export: %v", err)
		}
		records = append(records, record)
	}
	return records
}

// Erase erases a user.
func (c *Client) Erase(t testing.TB, user string) {
	t.Helper()
	Call(c.EraseUserWithResponse(t.Context(), user)).Must(t, http.StatusNoContent)
}

// Clock returns the newest cursor of a user's mailbox.
func (c *Client) Clock(t testing.TB, user string) uuid.UUID {
	t.Helper()
	return c.Changes(t, user, client.ListChangesParams{}).Next
}

// Changes lists changes.
func (c *Client) Changes(t testing.TB, user string, params client.ListChangesParams) client.ChangePage {
	t.Helper()
	return *Call(c.ListChangesWithResponse(t.Context(), user, &params)).Must(t, http.StatusOK).JSON200
}
