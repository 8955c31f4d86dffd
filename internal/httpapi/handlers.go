package httpapi

import (
	"log/slog"
	"sync/atomic"

	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/feed"
	"github.com/message-service/message-service/internal/identity"
	"github.com/message-service/message-service/internal/messaging"
)

// handlers implements the operations of the contract.
type handlers struct {
	service  *messaging.Service
	feed     *feed.Hub
	identity *identity.Service
	log      *slog.Logger
	draining *atomic.Bool
	memory   *memoryBudget

	rateLimits  []server.RateLimit
	version     string
	connections func() (open, most int)
}

var _ server.StrictServerInterface = (*handlers)(nil)
