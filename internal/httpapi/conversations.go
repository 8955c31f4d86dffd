package httpapi

import (
	"context"
	"net/url"

	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/messaging"
	"github.com/message-service/message-service/internal/wire"
)

// ListConversations answers GET /v1/users/{userId}/conversations.
func (h *handlers) ListConversations(ctx context.Context, request server.ListConversationsRequestObject) (server.ListConversationsResponseObject, error) {
	p := request.Params
	page, err := h.service.ListConversations(ctx, request.UserID, (*messaging.ID)(p.Before), h.limit(p.Limit))
	if err != nil {
		return nil, err
	}
	response := server.ListConversations200JSONResponse{Body: toConversationPage(page)}
	if page.HasMore {
		last := page.Conversations[len(page.Conversations)-1].LastMessage.ID
		response.Headers.Link = nextLink(userPath(request.UserID, "conversations"), queryOf("before", last.String()), p.Limit)
	}
	return response, nil
}

// GetConversation answers GET /v1/users/{userId}/conversations/{peerId}.
func (h *handlers) GetConversation(ctx context.Context, request server.GetConversationRequestObject) (server.GetConversationResponseObject, error) {
	c, err := h.service.GetConversation(ctx, request.UserID, request.PeerID)
	if err != nil {
		return nil, err
	}
	return server.GetConversation200JSONResponse(toConversation(c)), nil
}

// ListConversationMessages answers GET /v1/users/{userId}/conversations/{peerId}/messages.
func (h *handlers) ListConversationMessages(
	ctx context.Context, request server.ListConversationMessagesRequestObject,
) (server.ListConversationMessagesResponseObject, error) {
	p := request.Params
	w := h.window(p.Since, p.Until, p.Before, p.After, p.Limit)
	page, err := h.service.ListConversation(ctx, request.UserID, request.PeerID, w)
	if err != nil {
		return nil, err
	}
	path := userPath(request.UserID, "conversations", request.PeerID, "messages")
	return messagePage{page, nextMessages(path, url.Values{}, w, p.Limit, page)}, nil
}

// SetReadMarker answers PUT /v1/users/{userId}/conversations/{peerId}/read-marker.
func (h *handlers) SetReadMarker(ctx context.Context, request server.SetReadMarkerRequestObject) (server.SetReadMarkerResponseObject, error) {
	marker, err := h.service.SetReadMarker(ctx, request.UserID, request.PeerID, messaging.ID(request.Body.MessageID))
	if err != nil {
		return nil, err
	}
	return server.SetReadMarker200JSONResponse(wire.ReadMarker(marker)), nil
}

func toConversation(c messaging.Conversation) server.Conversation {
	return server.Conversation{
		Peer:           c.Peer,
		LastMessage:    wire.Message(c.LastMessage),
		UnreadCount:    int32(c.Unread),
		ReadMarker:     toReadMarker(c.Marker),
		PeerReadMarker: toReadMarker(c.PeerMarker),
	}
}

func toConversationPage(page messaging.ConversationPage) server.ConversationPage {
	conversations := make([]server.Conversation, len(page.Conversations))
	for i, c := range page.Conversations {
		conversations[i] = toConversation(c)
	}
	return server.ConversationPage{Conversations: conversations, HasMore: page.HasMore}
}

// toReadMarker returns nil for the zero value.
func toReadMarker(m messaging.ReadMarker) *server.ReadMarker {
	if m == (messaging.ReadMarker{}) {
		return nil
	}
	return new(wire.ReadMarker(m))
}
