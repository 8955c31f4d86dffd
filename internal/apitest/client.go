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

// The calls of this file must succeed; a test that expects an error uses the
// generated client.

// Call takes what a call of the generated client returns, for its method Must.
func Call[A messageservice.Answer](answer A, err error) Called[A] { return Called[A]{answer, err} }

// Called is a call of the generated client.
type Called[A messageservice.Answer] struct {
	answer A
	err    error
}

// Must ends the test unless the call was answered with one of the given statuses, and
// says what came instead.
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

// SendRequest sends a message that is more than a text. Every other one has an idempotency
// key: alone, those go another way through the server.
func (c *Client) SendRequest(t testing.TB, request client.SendMessageRequest) client.Message {
	t.Helper()
	params := &client.SendMessageParams{}
	if c.sends.Add(1)%2 == 0 || c.checker.insists {
		params.IdempotencyKey = new(uuid.NewString())
	}
	return *Call(c.SendMessageWithResponse(t.Context(), params, request)).Must(t, http.StatusCreated).JSON201
}

// List lists messages.
func (c *Client) List(t testing.TB, params client.ListMessagesParams) client.MessagePage {
	t.Helper()
	return *Call(c.ListMessagesWithResponse(t.Context(), &params)).Must(t, http.StatusOK).JSON200
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

// Blocks lists whom a user has blocked.
func (c *Client) Blocks(t testing.TB, user string, params client.ListBlocksParams) client.BlockPage {
	t.Helper()
	return *Call(c.ListBlocksWithResponse(t.Context(), user, &params)).Must(t, http.StatusOK).JSON200
}

// Export reads what concerns a user, without the end.
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

// Clock reads the newest position in a user's mailbox.
func (c *Client) Clock(t testing.TB, user string) uuid.UUID {
	t.Helper()
	return c.Changes(t, user, client.ListChangesParams{}).Next
}

// Changes lists changes.
func (c *Client) Changes(t testing.TB, user string, params client.ListChangesParams) client.ChangePage {
	t.Helper()
	return *Call(c.ListChangesWithResponse(t.Context(), user, &params)).Must(t, http.StatusOK).JSON200
}
