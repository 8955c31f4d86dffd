package httpapi

import (
	"context"

	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/contract"
	"github.com/message-service/message-service/internal/messaging"
)

// SendMessage answers POST /v1/messages.
func (h *handlers) SendMessage(ctx context.Context, request server.SendMessageRequestObject) (server.SendMessageResponseObject, error) {
	draft, err := contract.Draft(request.Body, request.Params)
	if err != nil {
		return nil, err
	}
	m, replayed, err := h.service.Send(ctx, callerOf(ctx), draft)
	if err != nil {
		return nil, err
	}
	return sent{message: newSingle(contract.AppendMessage, &m), location: exchangeOf(ctx).path() + "/" + m.ID.String(), replayed: replayed}, nil
}

// ListMessages answers GET /v1/messages.
func (h *handlers) ListMessages(ctx context.Context, request server.ListMessagesRequestObject) (server.ListMessagesResponseObject, error) {
	query := contract.Query(request.Params)
	return h.page(ctx, func(body []byte) ([]byte, *string, error) {
		page, err := h.service.List(ctx, callerOf(ctx), query)
		return contract.AppendMessagePage(body, page), nextMessages(exchangeOf(ctx).path(), query, request.Params.Limit, page), err
	}), nil
}

// SearchMessages answers GET /v1/users/{userId}/messages.
func (h *handlers) SearchMessages(ctx context.Context, request server.SearchMessagesRequestObject) (server.SearchMessagesResponseObject, error) {
	query := contract.UserQuery(request.Params)
	return h.page(ctx, func(body []byte) ([]byte, *string, error) {
		page, err := h.service.SearchUser(ctx, callerOf(ctx), request.UserID, query)
		path := exchangeOf(ctx).path(request.UserID)
		return contract.AppendMessagePage(body, page), nextMessages(path, query, request.Params.Limit, page), err
	}), nil
}

// GetMessage answers GET /v1/messages/{messageId}.
func (h *handlers) GetMessage(ctx context.Context, request server.GetMessageRequestObject) (server.GetMessageResponseObject, error) {
	m, err := h.service.Get(ctx, callerOf(ctx), messaging.ID(request.MessageID))
	if err != nil {
		return nil, err
	}
	return newSingle(contract.AppendMessage, &m), nil
}

// EditMessage answers PATCH /v1/messages/{messageId}.
func (h *handlers) EditMessage(ctx context.Context, request server.EditMessageRequestObject) (server.EditMessageResponseObject, error) {
	edit, err := contract.Edit(request.Body)
	if err != nil {
		return nil, err
	}
	m, err := h.service.Edit(ctx, callerOf(ctx), messaging.ID(request.MessageID), edit)
	if err != nil {
		return nil, err
	}
	return newSingle(contract.AppendMessage, &m), nil
}

// DeleteMessage answers DELETE /v1/messages/{messageId}.
func (h *handlers) DeleteMessage(ctx context.Context, request server.DeleteMessageRequestObject) (server.DeleteMessageResponseObject, error) {
	if err := h.service.Delete(ctx, callerOf(ctx), messaging.ID(request.MessageID)); err != nil {
		return nil, err
	}
	return server.DeleteMessage204Response{}, nil
}

// ListReaders answers GET /v1/messages/{messageId}/readers.
func (h *handlers) ListReaders(ctx context.Context, request server.ListReadersRequestObject) (server.ListReadersResponseObject, error) {
	readers, err := h.service.ListReaders(ctx, callerOf(ctx), messaging.ID(request.MessageID))
	if err != nil {
		return nil, err
	}
	return newSingle(contract.AppendReaders, &readers), nil
}
