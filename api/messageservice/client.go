// Package messageservice is the Go client of the service. To the generated package
// client it adds retries of idempotent requests, and errors for answers of 400 or above.
//
//	api, err := messageservice.New("http://localhost:8080", messageservice.WithToken(token))
//	...
//	key := uuid.NewString() // a new one for each message
//	sent, err := messageservice.Check(api.SendMessageWithResponse(ctx,
//		&client.SendMessageParams{IdempotencyKey: &key},
//		client.SendMessageRequest{Sender: "alice", Recipient: "bob", Text: "Lunch at noon?"}))
//	if err != nil {
//		return err
//	}
//	fmt.Println(sent.JSON201.ID)
//
// [Export] reads an export, which is a stream, record by record. [Follow] yields the
// changes of a user's mailbox as they happen, and reconnects by itself.
package messageservice

import (
	"errors"
	"net/url"

	"github.com/message-service/message-service/gen/client"
)

// New returns a client of the service at baseURL, such as http://localhost:8080. It
// retries as [NewRetryingHTTPClient] does, unless the options set another HTTP client. A service
// that requires authentication needs [WithToken] or [WithTokenSource].
// It fails if baseURL is not an http or https URL.
func New(baseURL string, options ...client.ClientOption) (*client.ClientWithResponses, error) {
	address, err := url.Parse(baseURL)
	if err != nil || address.Scheme != "http" && address.Scheme != "https" || address.Host == "" {
		return nil, errors.New("the base URL must be such as http://localhost:8080") // without the URL itself, which may hold a password
	}
	return client.NewClientWithResponses(baseURL, client.WithHTTPClient(NewRetryingHTTPClient()), func(c *client.Client) error {
		return applyInAnyOrder(c, options)
	})
}
