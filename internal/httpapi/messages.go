package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync/atomic"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/contract"
	"github.com/message-service/message-service/internal/feed"
	"github.com/message-service/message-service/internal/messaging"
)

// handlers implements the operations of the contract.
type handlers struct {
	service  *messaging.Service
	feed     *feed.Hub
	log      *slog.Logger
	draining *atomic.Bool
	limits   server.Limits
	pageSize int // of a list that asks for none
	answers  *answers

	version     string
	connections func() (open, most int)
}

var _ server.StrictServerInterface = (*handlers)(nil)

// SendMessage answers POST /v1/messages.
func (h *handlers) SendMessage(ctx context.Context, request server.SendMessageRequestObject) (server.SendMessageResponseObject, error) {
	metadata, err := compactJSON(request.Body.Metadata)
	if err != nil {
		return nil, fmt.Errorf("metadata: %w", err)
	}
	m, replayed, err := h.service.Send(ctx, messaging.Draft{
		Sender:         request.Body.Sender,
		Recipient:      request.Body.Recipient,
		Text:           request.Body.Text,
		Metadata:       metadata,
		ReplyTo:        (*messaging.ID)(request.Body.ReplyTo),
		IdempotencyKey: value(request.Params.IdempotencyKey),
	})
	if err != nil {
		return nil, err
	}
	response := server.SendMessage201JSONResponse{Body: contract.Message(m)}
	response.Headers.Location = exchangeOf(ctx).path() + "/" + m.ID.String()
	if replayed {
		response.Headers.IdempotentReplayed = &replayed
	}
	return response, nil
}

// ListMessages answers GET /v1/messages.
func (h *handlers) ListMessages(ctx context.Context, request server.ListMessagesRequestObject) (server.ListMessagesResponseObject, error) {
	p := request.Params
	w := h.window(p.Since, p.Until, p.Before, p.After, p.Limit)
	query := messaging.Query{Recipient: value(p.Recipient), Sender: value(p.Sender), Words: value(p.Q), Window: w}
	return h.page(ctx, func(body []byte) ([]byte, *string, error) {
		page, err := h.service.List(ctx, query)
		link := nextMessages(exchangeOf(ctx).path(),
			queryOf("recipient", query.Recipient, "sender", query.Sender, "q", query.Words), w, p.Limit, page)
		return appendMessagePage(body, page), link, err
	}), nil
}

// GetMessage answers GET /v1/messages/{messageId}.
func (h *handlers) GetMessage(ctx context.Context, request server.GetMessageRequestObject) (server.GetMessageResponseObject, error) {
	m, err := h.service.Get(ctx, messaging.ID(request.MessageID))
	if err != nil {
		return nil, err
	}
	return server.GetMessage200JSONResponse(contract.Message(m)), nil
}

// EditMessage answers PATCH /v1/messages/{messageId}.
func (h *handlers) EditMessage(ctx context.Context, request server.EditMessageRequestObject) (server.EditMessageResponseObject, error) {
	edit := messaging.Edit{Text: request.Body.Text}
	switch metadata := request.Body.Metadata; {
	case metadata.IsNull():
		edit.Metadata = new("")
	case metadata.IsSpecified():
		compact, err := compactJSON(metadata.MustGet())
		if err != nil {
			return nil, fmt.Errorf("metadata: %w", err)
		}
		edit.Metadata = &compact
	}
	m, err := h.service.Edit(ctx, messaging.ID(request.MessageID), edit)
	if err != nil {
		return nil, err
	}
	return server.EditMessage200JSONResponse(contract.Message(m)), nil
}

// DeleteMessage answers DELETE /v1/messages/{messageId}.
func (h *handlers) DeleteMessage(ctx context.Context, request server.DeleteMessageRequestObject) (server.DeleteMessageResponseObject, error) {
	if err := h.service.Delete(ctx, messaging.ID(request.MessageID)); err != nil {
		return nil, err
	}
	return server.DeleteMessage204Response{}, nil
}

// compactJSON writes JSON text without white space and needless escapes; nothing
// remains nothing.
func compactJSON(text json.RawMessage) (string, error) {
	if len(text) == 0 {
		return "", nil
	}
	compact, err := jsontext.AppendFormat(nil, text)
	return string(compact), err
}
