package messaging

import "github.com/message-service/message-service/internal/mailbox"

// ID identifies a message and every change; see [mailbox.ID].
type ID = mailbox.ID
