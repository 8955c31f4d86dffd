package httpapi

import (
	"context"
	"errors"
	"math"
	"time"

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

// ready returns why the server cannot handle requests, if it cannot.
func (h *handlers) ready(ctx context.Context) error {
	if h.draining.Load() {
		return &messaging.Error{Code: messaging.Unavailable, Message: "The server is shutting down."}
	}
	return h.service.Ready(ctx)
}

// GetStatus answers GET /v1/status.
func (h *handlers) GetStatus(ctx context.Context, _ server.GetStatusRequestObject) (server.GetStatusResponseObject, error) {
	var reason *string
	if err := h.ready(ctx); err != nil {
		unavailable, ok := errors.AsType[*messaging.Error](err)
		if !ok {
			return nil, err
		}
		reason = &unavailable.Message
	}
	status := h.service.Status()
	connections, maxConnections := h.connections()
	return server.GetStatus200JSONResponse{
		Version:           h.version,
		Engine:            status.Engine,
		Ready:             reason == nil,
		NotReadyReason:    reason,
		UptimeSeconds:     int64(time.Since(status.Started) / time.Second),
		Sends:             status.Sends,
		SendsPerSecond10S: hundredths(status.PerSecond10s),
		SendsPerSecond60S: hundredths(status.PerSecond60s),
		SendsWaiting:      int64(status.SendsWaiting),
		ChangesWaiting:    int64(status.ChangesWaiting),
		QueueSize:         int64(status.QueueSize),
		Streams:           int64(h.feed.Streams()),
		MaxStreams:        int64(h.feed.MaxStreams()),
		Connections:       int64(connections),
		MaxConnections:    int64(maxConnections),
	}, nil
}

// hundredths rounds a figure for people.
func hundredths(x float64) float64 { return math.Round(100*x) / 100 }

// GetLimits answers GET /v1/limits.
func (h *handlers) GetLimits(context.Context, server.GetLimitsRequestObject) (server.GetLimitsResponseObject, error) {
	limits := contract.Limits()
	limits.RequestMaxBytes = int32(bodyLimits.Bytes)
	limits.UserMaxStreams = feed.UserMaxStreams
	return server.GetLimits200JSONResponse(limits), nil
}
