package httpapi

import (
	"context"

	"github.com/message-service/message-service/gen/server"
)

// everyone stands for all users where package identity revokes tokens.
const everyone = ""

// SetTokenRevocation answers PUT /v1/users/{userId}/token-revocation.
func (h *handlers) SetTokenRevocation(ctx context.Context, request server.SetTokenRevocationRequestObject) (server.SetTokenRevocationResponseObject, error) {
	revocation, err := h.identity.RevokeTokens(ctx, exchangeOf(ctx).by(), request.UserID, request.Body.IssuedBefore)
	if err != nil {
		return nil, err
	}
	return server.SetTokenRevocation200JSONResponse{IssuedBefore: timestamp(revocation.IssuedBefore)}, nil
}

// DeleteTokenRevocation answers DELETE /v1/users/{userId}/token-revocation.
func (h *handlers) DeleteTokenRevocation(ctx context.Context, request server.DeleteTokenRevocationRequestObject) (server.DeleteTokenRevocationResponseObject, error) {
	if err := h.identity.AllowTokens(ctx, exchangeOf(ctx).by(), request.UserID); err != nil {
		return nil, err
	}
	return server.DeleteTokenRevocation204Response{}, nil
}

// SetAllTokensRevocation answers PUT /v1/token-revocation.
func (h *handlers) SetAllTokensRevocation(ctx context.Context, request server.SetAllTokensRevocationRequestObject) (server.SetAllTokensRevocationResponseObject, error) {
	revocation, err := h.identity.RevokeTokens(ctx, exchangeOf(ctx).by(), everyone, request.Body.IssuedBefore)
	if err != nil {
		return nil, err
	}
	return server.SetAllTokensRevocation200JSONResponse{IssuedBefore: timestamp(revocation.IssuedBefore)}, nil
}

// DeleteAllTokensRevocation answers DELETE /v1/token-revocation.
func (h *handlers) DeleteAllTokensRevocation(ctx context.Context, _ server.DeleteAllTokensRevocationRequestObject) (server.DeleteAllTokensRevocationResponseObject, error) {
	if err := h.identity.AllowTokens(ctx, exchangeOf(ctx).by(), everyone); err != nil {
		return nil, err
	}
	return server.DeleteAllTokensRevocation204Response{}, nil
}
