package apitest

import (
	"testing"

	"github.com/google/uuid"

	"github.com/message-service/message-service/api/messageservice"
	"github.com/message-service/message-service/gen/client"
)

// The calls of this file must succeed; a test that expects an error uses the
// generated client.

// call makes a call of the generated client fail the test unless it succeeds.
func call[A messageservice.Answer](t testing.TB, what string) func(A, error) A {
	return func(answer A, err error) A {
		t.Helper()
		if answer, err = messageservice.Check(answer, err); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		return answer
	}
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
	if c.sends.Add(1)%2 == 0 {
		params.IdempotencyKey = new(uuid.NewString())
	}
	return *call[*client.SendMessageResponse](t, "send")(c.SendMessageWithResponse(t.Context(), params, request)).JSON201
}

// List lists messages.
func (c *Client) List(t testing.TB, params client.ListMessagesParams) client.MessagePage {
	t.Helper()
	return *call[*client.ListMessagesResponse](t, "list")(c.ListMessagesWithResponse(t.Context(), &params)).JSON200
}

// Edit edits a message.
func (c *Client) Edit(t testing.TB, id uuid.UUID, edit client.EditMessageRequest) client.Message {
	t.Helper()
	return *call[*client.EditMessageResponse](t, "edit")(c.EditMessageWithResponse(t.Context(), id, edit)).JSON200
}

// Delete deletes a message.
func (c *Client) Delete(t testing.TB, id uuid.UUID) {
	t.Helper()
	call[*client.DeleteMessageResponse](t, "delete")(c.DeleteMessageWithResponse(t.Context(), id))
}

// Conversations lists a user's conversations.
func (c *Client) Conversations(t testing.TB, user string, params client.ListConversationsParams) client.ConversationPage {
	t.Helper()
	return *call[*client.ListConversationsResponse](t, "list conversations")(
		c.ListConversationsWithResponse(t.Context(), user, &params)).JSON200
}

// Conversation reads a user's conversation with a peer.
func (c *Client) Conversation(t testing.TB, user, peer string) client.Conversation {
	t.Helper()
	return *call[*client.GetConversationResponse](t, "get conversation")(
		c.GetConversationWithResponse(t.Context(), user, peer)).JSON200
}

// Thread lists the messages of a conversation.
func (c *Client) Thread(t testing.TB, user, peer string, params client.ListConversationMessagesParams) client.MessagePage {
	t.Helper()
	return *call[*client.ListConversationMessagesResponse](t, "list conversation messages")(
		c.ListConversationMessagesWithResponse(t.Context(), user, peer, &params)).JSON200
}

// Read marks a conversation as read up to a message.
func (c *Client) Read(t testing.TB, user, peer string, message uuid.UUID) client.ReadMarker {
	t.Helper()
	return *call[*client.SetReadMarkerResponse](t, "set read marker")(
		c.SetReadMarkerWithResponse(t.Context(), user, peer, client.SetReadMarkerRequest{MessageID: message})).JSON200
}

// Block makes a user refuse messages from a peer.
func (c *Client) Block(t testing.TB, user, peer string) {
	t.Helper()
	call[*client.BlockUserResponse](t, "block")(c.BlockUserWithResponse(t.Context(), user, peer))
}

// Unblock lifts a block.
func (c *Client) Unblock(t testing.TB, user, peer string) {
	t.Helper()
	call[*client.UnblockUserResponse](t, "unblock")(c.UnblockUserWithResponse(t.Context(), user, peer))
}

// Blocks lists whom a user has blocked.
func (c *Client) Blocks(t testing.TB, user string, params client.ListBlocksParams) client.BlockPage {
	t.Helper()
	return *call[*client.ListBlocksResponse](t, "list blocks")(c.ListBlocksWithResponse(t.Context(), user, &params)).JSON200
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
	call[*client.EraseUserResponse](t, "erase")(c.EraseUserWithResponse(t.Context(), user))
}

// Clock reads the newest position in a user's mailbox.
func (c *Client) Clock(t testing.TB, user string) uuid.UUID {
	t.Helper()
	return c.Changes(t, user, client.ListChangesParams{}).Next
}

// Changes lists changes.
func (c *Client) Changes(t testing.TB, user string, params client.ListChangesParams) client.ChangePage {
	t.Helper()
	return *call[*client.ListChangesResponse](t, "list changes")(c.ListChangesWithResponse(t.Context(), user, &params)).JSON200
}
