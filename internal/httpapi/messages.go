package httpapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/messaging"
)

// handlers implements the operations of the contract.
type handlers struct {
	service  *messaging.Service
	draining *atomic.Bool
	limits   server.Limits
	pageSize int // of a list that asks for none
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
		IdempotencyKey: value(request.Params.IdempotencyKey),
	})
	if err != nil {
		return nil, err
	}
	response := server.SendMessage201JSONResponse{Body: toMessage(m)}
	response.Headers.Location = "/v1/messages/" + m.ID.String()
	if replayed {
		response.Headers.IdempotentReplayed = &replayed
	}
	return response, nil
}

// ListMessages answers GET /v1/messages.
func (h *handlers) ListMessages(ctx context.Context, request server.ListMessagesRequestObject) (server.ListMessagesResponseObject, error) {
	p := request.Params
	query := messaging.Query{
		Recipient: value(p.Recipient),
		Sender:    value(p.Sender),
		Since:     p.Since,
		Until:     p.Until,
		Before:    (*messaging.ID)(p.Before),
		After:     (*messaging.ID)(p.After),
		Limit:     h.pageSize,
	}
	if p.Limit != nil {
		query.Limit = int(*p.Limit)
	}
	page, err := h.service.List(ctx, query)
	if err != nil {
		return nil, err
	}
	response := server.ListMessages200JSONResponse{Body: toMessagePage(page)}
	if page.HasMore {
		link := nextLink("/v1/messages", p, query, page)
		response.Headers.Link = &link
	}
	return response, nil
}

// GetMessage answers GET /v1/messages/{messageId}.
func (h *handlers) GetMessage(ctx context.Context, request server.GetMessageRequestObject) (server.GetMessageResponseObject, error) {
	m, err := h.service.Get(ctx, messaging.ID(request.MessageID))
	if err != nil {
		return nil, err
	}
	return server.GetMessage200JSONResponse(toMessage(m)), nil
}

// DeleteMessage answers DELETE /v1/messages/{messageId}.
func (h *handlers) DeleteMessage(ctx context.Context, request server.DeleteMessageRequestObject) (server.DeleteMessageResponseObject, error) {
	if err := h.service.Delete(ctx, messaging.ID(request.MessageID)); err != nil {
		return nil, err
	}
	return server.DeleteMessage204Response{}, nil
}

func toMessage(m messaging.Message) server.Message {
	message := server.Message{
		ID:        uuid.UUID(m.ID),
		Sender:    m.Sender,
		Recipient: m.Recipient,
		Text:      m.Text,
		Metadata:  json.RawMessage(m.Metadata),
		SentAt:    timestamp(m.ID.Time()),
	}
	if m.Deleted {
		deletedAt := timestamp(m.Changed.Time())
		message.DeletedAt = &deletedAt
	}
	return message
}

func toMessagePage(page messaging.Page) server.MessagePage {
	messages := make([]server.Message, len(page.Messages))
	for i, m := range page.Messages {
		messages[i] = toMessage(m)
	}
	return server.MessagePage{Messages: messages, HasMore: page.HasMore}
}

// nextLink is the Link header (RFC 8288) of a page that has more behind it: the
// same list, from the end of this page on.
func nextLink(path string, p server.ListMessagesParams, q messaging.Query, page messaging.Page) string {
	query := url.Values{}
	set := func(name, text string) {
		if text != "" {
			query.Set(name, text)
		}
	}
	set("recipient", value(p.Recipient))
	set("sender", value(p.Sender))
	if p.Since != nil {
		set("since", p.Since.Format(time.RFC3339Nano))
	}
	if p.Until != nil {
		set("until", p.Until.Format(time.RFC3339Nano))
	}
	if p.Limit != nil {
		set("limit", strconv.Itoa(int(*p.Limit)))
	}
	newest, oldest := page.Messages[0].ID, page.Messages[len(page.Messages)-1].ID
	switch {
	case q.Upward():
		set("after", newest.String())
	case p.After != nil:
		set("after", p.After.String())
		fallthrough
	default:
		set("before", oldest.String())
	}
	return "<" + path + "?" + query.Encode() + `>; rel="next"`
}

func timestamp(t time.Time) server.Timestamp { return t.Format("2006-01-02T15:04:05.000Z") }

// value is what an optional parameter points to, or the zero value.
func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
