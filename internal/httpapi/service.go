package httpapi

import (
	"context"
	"errors"

	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/contract"
	"github.com/message-service/message-service/internal/feed"
	"github.com/message-service/message-service/internal/messaging"
)

// GetHealth answers GET /health.
func (h *handlers) GetHealth(context.Context, server.GetHealthRequestObject) (server.GetHealthResponseObject, error) {
	return server.GetHealth200TextResponse("UP\n"), nil
}

// GetReadiness answers GET /ready.
func (h *handlers) GetReadiness(ctx context.Context, _ server.GetReadinessRequestObject) (server.GetReadinessResponseObject, error) {
	if err := h.ready(ctx); err != nil {
		return nil, err
	}
	return server.GetReadiness200TextResponse("READY\n"), nil
}

// ready returns an error if the server is draining or cannot reach its database.
func (h *handlers) ready(ctx context.Context) error {
	if h.draining.Load() {
		return &messaging.Error{Code: messaging.Unavailable, Message: "The server is shutting down."}
	}
	return h.service.Ready(ctx)
}

// GetStatus answers GET /v1/status.
func (h *handlers) GetStatus(ctx context.Context, _ server.GetStatusRequestObject) (server.GetStatusResponseObject, error) {
	status := contract.Status(h.service.Status())
	status.Version, status.Ready = h.version, true
	if err := h.ready(ctx); err != nil {
		unavailable, ok := errors.AsType[*messaging.Error](err)
		if !ok {
			return nil, err
		}
		status.Ready, status.NotReadyReason = false, &unavailable.Message
	}
	open, most := h.connections()
	status.Connections, status.MaxConnections = int64(open), int64(most)
	status.Streams, status.MaxStreams = int64(h.feed.Streams()), int64(h.feed.MaxStreams())
	return server.GetStatus200JSONResponse(status), nil
}

// GetLimits answers GET /v1/limits.
func (h *handlers) GetLimits(context.Context, server.GetLimitsRequestObject) (server.GetLimitsResponseObject, error) {
	limits := contract.Limits()
	limits.RequestMaxBytes = int32(bodyLimits.Bytes)
	limits.UserMaxStreams = feed.UserMaxStreams
	members, groups := h.service.GroupLimits()
	limits.GroupMaxMembers, limits.UserMaxGroups = int32(members), int32(groups)
	limits.RateLimits = h.rateLimits
	return server.GetLimits200JSONResponse(limits), nil
}
