package httpapi

import (
	"context"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/feed"
	"github.com/message-service/message-service/internal/messaging"
)

// GetHealth answers GET /health.
func (h *handlers) GetHealth(context.Context, server.GetHealthRequestObject) (server.GetHealthResponseObject, error) {
	return server.GetHealth200TextResponse("UP\n"), nil
}

// GetReadiness answers GET /ready.
func (h *handlers) GetReadiness(ctx context.Context, _ server.GetReadinessRequestObject) (server.GetReadinessResponseObject, error) {
	if h.draining.Load() {
		return nil, &problem{kind: serviceUnavailable, detail: "The server is shutting down."}
	}
	if err := h.service.Ready(ctx); err != nil {
		return nil, err
	}
	return server.GetReadiness200TextResponse("READY\n"), nil
}

// GetLimits answers GET /v1/limits.
func (h *handlers) GetLimits(context.Context, server.GetLimitsRequestObject) (server.GetLimitsResponseObject, error) {
	return server.GetLimits200JSONResponse(h.limits), nil
}

// defaultPageSize reads the default of limit from the contract.
func defaultPageSize(document *openapi3.T) int {
	limit := document.Paths.Value("/v1/messages").Get.Parameters.GetByInAndName(openapi3.ParameterInQuery, "limit")
	return int(limit.Schema.Value.Default.(float64))
}

// newLimits reads the limits from the contract, and from the product those that a
// schema cannot express.
func newLimits(document *openapi3.T) server.Limits {
	schemas := document.Components.Schemas
	maxLength := func(schema *openapi3.Schema) int32 { return int32(*schema.MaxLength) }
	return server.Limits{
		UserIDMaxLength:         maxLength(schemas["UserId"].Value),
		TextMaxLength:           maxLength(schemas["SendMessageRequest"].Value.Properties["text"].Value),
		IdempotencyKeyMaxLength: maxLength(document.Components.Parameters["IdempotencyKey"].Value.Schema.Value),
		PageMaxMessages:         int32(*schemas["MessagePage"].Value.Properties["messages"].Value.MaxItems),
		PageMaxBytes:            messaging.PageMaxBytes,
		MetadataMaxBytes:        messaging.MetadataMaxBytes,
		MetadataMaxDepth:        messaging.MetadataMaxDepth,
		DefaultWindowDays:       messaging.DefaultWindowDays,
		RequestMaxBytes:         maxBodyBytes,
		UserMaxStreams:          feed.UserMaxStreams,
	}
}
