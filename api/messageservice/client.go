// Package messageservice is the Go client of the service: the generated one of
// package client, with what a generator does not know. Requests that may be
// repeated are, and a failed answer is an error.
//
//	api, err := messageservice.New("http://localhost:8080")
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
// An export is a stream; [Export] reads it record by record. [Follow] yields what
// changes for a user as it happens, and connects again by itself.
package messageservice

import (
	"errors"
	"net/url"

	"github.com/message-service/message-service/gen/client"
)

// New makes a client of the service at baseURL, such as http://localhost:8080. It
// repeats requests as [NewRetryingHTTPClient] does, unless the options give it
// another HTTP client. It fails if baseURL is no http or https URL.
func New(baseURL string, options ...client.ClientOption) (*client.ClientWithResponses, error) {
	address, err := url.Parse(baseURL)
	if err != nil || address.Scheme != "http" && address.Scheme != "https" || address.Host == "" {
		return nil, errors.New("the base URL must be such as http://localhost:8080") // not the URL, which may have a password in it
	}
	options = append([]client.ClientOption{client.WithHTTPClient(NewRetryingHTTPClient())}, options...)
	return client.NewClientWithResponses(baseURL, options...)
}
