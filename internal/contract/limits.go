package contract

import (
	"sync"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/messaging"
)

// Limits are the limits of the OpenAPI document and of package messaging. The caller adds those that are
// options, of the HTTP server and of feeds.
func Limits() server.Limits {
	components := Document().Components
	maxLength := func(schema *openapi3.SchemaRef) int32 { return int32(*schema.Value.MaxLength) }
	return server.Limits{
		UserIDMaxLength:         maxLength(components.Schemas["UserId"]),
		TextMaxLength:           maxLength(components.Schemas["MessageText"]),
		IdempotencyKeyMaxLength: maxLength(components.Parameters["IdempotencyKey"].Value.Schema),
		PageMaxMessages:         int32(*components.Schemas["MessagePage"].Value.Properties["messages"].Value.MaxItems),
		PageMaxBytes:            messaging.PageMaxBytes,
		MetadataMaxBytes:        messaging.MetadataMaxBytes,
		MetadataMaxDepth:        messaging.MetadataMaxDepth,
		DefaultWindowDays:       messaging.DefaultWindowDays,
	}
}

// PageSize is the limit parameter of a list, or its default.
func PageSize(limit *int32) int {
	if limit == nil {
		return defaultPageSize()
	}
	return int(*limit)
}

var defaultPageSize = sync.OnceValue(func() int {
	return int(Document().Components.Parameters["Limit"].Value.Schema.Value.Default.(float64))
})

// TokenLifetime is the ttlSeconds of a request for a token, or its default.
func TokenLifetime(seconds *int32) time.Duration {
	if seconds == nil {
		return defaultTokenLifetime()
	}
	return time.Duration(*seconds) * time.Second
}

var defaultTokenLifetime = sync.OnceValue(func() time.Duration {
	return time.Duration(Document().Components.Schemas["CreateTokenRequest"].Value.Properties["ttlSeconds"].Value.Default.(float64)) * time.Second
})
