package httpapi

import (
	"context"

	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/contract"
	"github.com/message-service/message-service/internal/messaging"
)

// ListConversations answers GET /v1/users/{userId}/conversations.
func (h *handlers) ListConversations(ctx context.Context, request server.ListConversationsRequestObject) (server.ListConversationsResponseObject, error) {
	p := request.Params
	return h.page(ctx, func(body []byte) ([]byte, *string, error) {
		query := messaging.InboxQuery{Hidden: contract.Value(p.Hidden), Before: (*messaging.ID)(p.Before), Limit: contract.PageSize(p.Limit)}
		page, err := h.service.ListConversations(ctx, callerOf(ctx), request.UserID, query)
		if err != nil || !page.HasMore {
			return contract.AppendConversationPage(body, page), nil, err
		}
		next := queryOf("before", page.Next.String())
		if query.Hidden {
			next.Set("hidden", "true")
		}
		return contract.AppendConversationPage(body, page), nextLink(exchangeOf(ctx).path(request.UserID), next, p.Limit), nil
	}), nil
}

// GetConversation answers GET /v1/users/{userId}/conversations/{peerId}.
func (h *handlers) GetConversation(ctx context.Context, request server.GetConversationRequestObject) (server.GetConversationResponseObject, error) {
	c, err := h.service.GetConversation(ctx, callerOf(ctx), request.UserID, request.PeerID)
	if err != nil {
		return nil, err
	}
	return newSingle(contract.AppendConversation, &c), nil
}

// UpdateConversation answers PATCH /v1/users/{userId}/conversations/{peerId}.
func (h *handlers) UpdateConversation(ctx context.Context, request server.UpdateConversationRequestObject) (server.UpdateConversationResponseObject, error) {
	c, err := h.service.UpdateConversation(ctx, callerOf(ctx), request.UserID, request.PeerID, contract.ConversationEdit(request.Body))
	if err != nil {
		return nil, err
	}
	return newSingle(contract.AppendConversation, &c), nil
}

// GetUnread answers GET /v1/users/{userId}/unread.
func (h *handlers) GetUnread(ctx context.Context, request server.GetUnreadRequestObject) (server.GetUnreadResponseObject, error) {
	count, err := h.service.GetUnread(ctx, callerOf(ctx), request.UserID)
	if err != nil {
		return nil, err
	}
	return server.GetUnread200JSONResponse{Conversations: int32(count.Conversations), Messages: int32(count.Messages)}, nil
}

// ListConversationMessages answers GET /v1/users/{userId}/conversations/{peerId}/messages.
func (h *handlers) ListConversationMessages(
	ctx context.Context, request server.ListConversationMessagesRequestObject,
) (server.ListConversationMessagesResponseObject, error) {
	query := contract.ConversationQuery(request.Params)
	return h.page(ctx, func(body []byte) ([]byte, *string, error) {
		page, err := h.service.ListConversation(ctx, callerOf(ctx), request.UserID, request.PeerID, query)
		path := exchangeOf(ctx).path(request.UserID, request.PeerID)
		return contract.AppendMessagePage(body, page), nextMessages(path, query, request.Params.Limit, page), err
	}), nil
}

// SetReadMarker answers PUT /v1/users/{userId}/conversations/{peerId}/read-marker.
func (h *handlers) SetReadMarker(ctx context.Context, request server.SetReadMarkerRequestObject) (server.SetReadMarkerResponseObject, error) {
	marker, err := h.service.SetReadMarker(ctx, callerOf(ctx), request.UserID, request.PeerID, messaging.ID(request.Body.MessageID))
	if err != nil {
		return nil, err
	}
	return newSingle(contract.AppendReadMarker, &marker), nil
}
