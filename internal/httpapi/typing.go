package httpapi

import (
	"context"

	"github.com/message-service/message-service/gen/server"
)

// SetTyping answers POST /v1/users/{userId}/conversations/{peerId}/typing.
func (h *handlers) SetTyping(ctx context.Context, request server.SetTypingRequestObject) (server.SetTypingResponseObject, error) {
	typing, err := h.service.SetTyping(ctx, callerOf(ctx), request.UserID, request.PeerID)
	if err != nil {
		return nil, err
	}
	h.feed.PublishTyping(typing)
	return server.SetTyping204Response{}, nil
}
