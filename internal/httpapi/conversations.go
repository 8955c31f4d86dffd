package httpapi

import (
	"context"
	"net/url"
	"strconv"

	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/contract"
	"github.com/message-service/message-service/internal/messaging"
)

// ListConversations answers GET /v1/users/{userId}/conversations.
func (h *handlers) ListConversations(ctx context.Context, request server.ListConversationsRequestObject) (server.ListConversationsResponseObject, error) {
	p := request.Params
	return h.page(ctx, func(body []byte) ([]byte, *string, error) {
		page, err := h.service.ListConversations(ctx, request.UserID, (*messaging.ID)(p.Before), h.limit(p.Limit))
		if err != nil || !page.HasMore {
			return appendConversationPage(body, page), nil, err
		}
		last := page.Conversations[len(page.Conversations)-1].LastMessage.ID
		link := nextLink(exchangeOf(ctx).path(request.UserID), queryOf("before", last.String()), p.Limit)
		return appendConversationPage(body, page), link, nil
	}), nil
}

// GetConversation answers GET /v1/users/{userId}/conversations/{peerId}.
func (h *handlers) GetConversation(ctx context.Context, request server.GetConversationRequestObject) (server.GetConversationResponseObject, error) {
	c, err := h.service.GetConversation(ctx, request.UserID, request.PeerID)
	if err != nil {
		return nil, err
	}
	return server.GetConversation200JSONResponse(contract.Conversation(c)), nil
}

// ListConversationMessages answers GET /v1/users/{userId}/conversations/{peerId}/messages.
func (h *handlers) ListConversationMessages(
	ctx context.Context, request server.ListConversationMessagesRequestObject,
) (server.ListConversationMessagesResponseObject, error) {
	p := request.Params
	w := h.window(p.Since, p.Until, p.Before, p.After, p.Limit)
	return h.page(ctx, func(body []byte) ([]byte, *string, error) {
		page, err := h.service.ListConversation(ctx, request.UserID, request.PeerID, w)
		path := exchangeOf(ctx).path(request.UserID, request.PeerID)
		return appendMessagePage(body, page), nextMessages(path, url.Values{}, w, p.Limit, page), err
	}), nil
}

// SetReadMarker answers PUT /v1/users/{userId}/conversations/{peerId}/read-marker.
func (h *handlers) SetReadMarker(ctx context.Context, request server.SetReadMarkerRequestObject) (server.SetReadMarkerResponseObject, error) {
	marker, err := h.service.SetReadMarker(ctx, request.UserID, request.PeerID, messaging.ID(request.Body.MessageID))
	if err != nil {
		return nil, err
	}
	return server.SetReadMarker200JSONResponse(contract.ReadMarker(marker)), nil
}

// appendConversationPage appends the JSON of [server.ConversationPage].
func appendConversationPage(b []byte, page messaging.ConversationPage) []byte {
	b = append(b, `{"conversations":[`...)
	for i := range page.Conversations {
		if i > 0 {
			b = append(b, ',')
		}
		b = contract.AppendConversation(b, &page.Conversations[i])
	}
	b = strconv.AppendBool(append(b, `],"hasMore":`...), page.HasMore)
	return append(b, "}\n"...)
}
