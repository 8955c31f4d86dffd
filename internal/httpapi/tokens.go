package httpapi

import (
	"context"

	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/contract"
)

// CreateToken answers POST /v1/tokens.
func (h *handlers) CreateToken(ctx context.Context, request server.CreateTokenRequestObject) (server.CreateTokenResponseObject, error) {
	user := request.Body.UserID
	token, expires, err := h.identity.CreateToken(exchangeOf(ctx).by(), user, contract.TokenLifetime(request.Body.TTLSeconds))
	if err != nil {
		return nil, err
	}
	return server.CreateToken201JSONResponse{Token: token, UserID: user, ExpiresAt: timestamp(expires)}, nil
}

// CreateStreamTicket answers POST /v1/users/{userId}/stream-tickets.
func (h *handlers) CreateStreamTicket(ctx context.Context, request server.CreateStreamTicketRequestObject) (server.CreateStreamTicketResponseObject, error) {
	ticket, expires, err := h.identity.CreateTicket(ctx, exchangeOf(ctx).by(), request.UserID)
	if err != nil {
		return nil, err
	}
	return server.CreateStreamTicket201JSONResponse{Ticket: ticket, ExpiresAt: timestamp(expires)}, nil
}
