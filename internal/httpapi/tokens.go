package httpapi

import (
	"cmp"
	"context"

	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/contract"
	"github.com/message-service/message-service/internal/identity"
)

// CreateToken answers POST /v1/tokens.
func (h *handlers) CreateToken(_ context.Context, request server.CreateTokenRequestObject) (server.CreateTokenResponseObject, error) {
	user := request.Body.UserID
	token, expires, err := h.identity.CreateToken(user, contract.TokenLifetime(request.Body.TTLSeconds))
	if err != nil {
		return nil, err
	}
	return server.CreateToken201JSONResponse{Token: token, UserID: user, ExpiresAt: timestamp(expires)}, nil
}

// CreateStreamTicket answers POST /v1/users/{userId}/stream-tickets.
func (h *handlers) CreateStreamTicket(ctx context.Context, request server.CreateStreamTicketRequestObject) (server.CreateStreamTicketResponseObject, error) {
	by := cmp.Or(exchangeOf(ctx).principal, &identity.Principal{}) // without authentication there is none
	ticket, expires, err := h.identity.CreateTicket(ctx, by, request.UserID)
	if err != nil {
		return nil, err
	}
	return server.CreateStreamTicket201JSONResponse{Ticket: ticket, ExpiresAt: timestamp(expires)}, nil
}
