package messaging

import (
	"slices"
)

// The one list of the columns of each table whose rows are values of this package. The statements
// that read and write these rows are made from it; see [Table].
var (
	messageColumns = []column[Message]{
		{name: "id", kind: "uuid", field: func(m *Message) any { return &m.ID }, member: "id"},
		{name: "sender", kind: "text", field: func(m *Message) any { return &m.Sender }, member: "sender"},
		{name: "recipient", kind: "text", field: func(m *Message) any { return &m.Recipient }, member: "recipient"},
		{name: "text", kind: "text", field: func(m *Message) any { return &m.Text }, member: "text", erased: "''"},
		{name: "metadata", kind: "text", field: func(m *Message) any { return (*optionalJSON)(&m.Metadata) }, member: "metadata", erased: "NULL"},
		{name: "reply_to", kind: "uuid", field: func(m *Message) any { return &m.ReplyTo }, member: "replyTo", erased: "NULL"},
		{name: "changed", kind: "uuid", field: func(m *Message) any { return &m.Changed }},
		{name: "deleted", kind: "boolean", field: func(m *Message) any { return &m.Deleted }},
	}

	keyColumns = []column[KeyRecord]{
		{name: "key_hash", kind: "bytea", field: func(r *KeyRecord) any { return &r.Hash }},
		{name: "fingerprint", kind: "bytea", field: func(r *KeyRecord) any { return &r.Fingerprint }},
	}

	markerColumns = []column[ReadMarker]{
		{name: "owner", field: func(m *ReadMarker) any { return &m.Owner }},
		{name: "peer", field: func(m *ReadMarker) any { return &m.Peer }},
		{name: "message_id", field: func(m *ReadMarker) any { return &m.MessageID }},
		{name: "changed", field: func(m *ReadMarker) any { return &m.Changed }},
	}

	blockColumns = []column[Block]{
		{name: "owner", field: func(b *Block) any { return &b.Owner }},
		{name: "peer", field: func(b *Block) any { return &b.Peer }},
		{name: "changed", field: func(b *Block) any { return &b.Changed }},
	}
)

// The tables.
var (
	Messages = newTable("messages", slices.Concat( // with the records of idempotency keys
		within(func(m *StoredMessage) *Message { return &m.Message }, messageColumns),
		within(func(m *StoredMessage) *KeyRecord { return &m.KeyRecord }, keyColumns)))
	ReadMarkers = newTable("read_markers", markerColumns)
	Blocks      = newTable("blocks", blockColumns)

	messages   = newTable("messages", messageColumns)
	identities = newTable("messages", messageColumns[:3]) // id, sender and recipient only
)

// HasContent reports whether the message has anything that a deletion erases.
func (m *Message) HasContent() bool {
	return slices.ContainsFunc(messageColumns, func(c column[Message]) bool {
		return c.erased != "" && !isEmpty(c.field(m))
	})
}
