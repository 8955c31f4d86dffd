// Package contract turns what the product knows into what the contract calls it.
package contract

import (
	"encoding/json"
	"time"

	"github.com/google/uuid"

	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/messaging"
)

// Message is a message as the contract describes it.
func Message(m messaging.Message) server.Message {
	message := server.Message{
		ID:        uuid.UUID(m.ID),
		Sender:    m.Sender,
		Recipient: m.Recipient,
		Text:      m.Text,
		ReplyTo:   (*server.MessageID)(m.ReplyTo),
		SentAt:    timestamp(m.ID.Time()),
	}
	if m.Metadata != "" {
		message.Metadata = json.RawMessage(m.Metadata)
	}
	if m.Changed != nil {
		changed := timestamp(m.Changed.Time())
		if m.Deleted {
			message.DeletedAt = &changed
		} else {
			message.EditedAt = &changed
		}
	}
	return message
}

// ReadMarker is a read marker as the contract describes it.
func ReadMarker(m messaging.ReadMarker) server.ReadMarker {
	return server.ReadMarker{User: m.Owner, Peer: m.Peer, MessageID: uuid.UUID(m.MessageID), ReadAt: timestamp(m.Changed.Time())}
}

// ChangeType is the type of a change.
func ChangeType(c *messaging.Change) server.ChangeType {
	if c.Message != nil {
		return server.ChangeTypeMessage
	}
	return server.ChangeTypeRead
}

// Conversation is a conversation as the contract describes it.
func Conversation(c messaging.Conversation) server.Conversation {
	return server.Conversation{
		Peer:           c.Peer,
		LastMessage:    Message(c.LastMessage),
		UnreadCount:    int32(c.Unread),
		ReadMarker:     optionalReadMarker(c.Marker),
		PeerReadMarker: optionalReadMarker(c.PeerMarker),
	}
}

// optionalReadMarker returns nil for the zero value.
func optionalReadMarker(m messaging.ReadMarker) *server.ReadMarker {
	if m == (messaging.ReadMarker{}) {
		return nil
	}
	return new(ReadMarker(m))
}

// Block is a block as the contract describes it.
func Block(b messaging.Block) server.Block {
	return server.Block{User: b.Owner, Peer: b.Peer, BlockedAt: timestamp(b.Changed.Time())}
}

func timestamp(t time.Time) server.Timestamp {
	return string(appendTime(make([]byte, 0, len("2006-01-02T15:04:05.000Z")), t))
}
