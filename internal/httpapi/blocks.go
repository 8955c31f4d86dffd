package httpapi

import (
	"context"

	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/contract"
)

// ListBlocks answers GET /v1/users/{userId}/blocks.
func (h *handlers) ListBlocks(ctx context.Context, request server.ListBlocksRequestObject) (server.ListBlocksResponseObject, error) {
	p := request.Params
	return h.page(ctx, func(body []byte) ([]byte, *string, error) {
		page, err := h.service.ListBlocks(ctx, callerOf(ctx), request.UserID, contract.Value(p.After), contract.PageSize(p.Limit))
		if err != nil || !page.HasMore {
			return contract.AppendBlockPage(body, page), nil, err
		}
		link := nextLink(exchangeOf(ctx).path(request.UserID), queryOf("after", page.Next), p.Limit)
		return contract.AppendBlockPage(body, page), link, nil
	}), nil
}

// BlockUser answers PUT /v1/users/{userId}/blocks/{peerId}.
func (h *handlers) BlockUser(ctx context.Context, request server.BlockUserRequestObject) (server.BlockUserResponseObject, error) {
	if err := h.service.BlockUser(ctx, callerOf(ctx), request.UserID, request.PeerID); err != nil {
		return nil, err
	}
	return server.BlockUser204Response{}, nil
}

// UnblockUser answers DELETE /v1/users/{userId}/blocks/{peerId}.
func (h *handlers) UnblockUser(ctx context.Context, request server.UnblockUserRequestObject) (server.UnblockUserResponseObject, error) {
	if err := h.service.UnblockUser(ctx, callerOf(ctx), request.UserID, request.PeerID); err != nil {
		return nil, err
	}
	return server.UnblockUser204Response{}, nil
}
