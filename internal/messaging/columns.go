package messaging

import (
	"database/sql/driver"
	"fmt"
	"reflect"
	"slices"
)

// The columns of the tables whose rows are values of the product, and nowhere else: all that reads
// and writes rows is made of this. See [Table].
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

	messages = newTable("messages", messageColumns)
	places   = newTable("messages", messageColumns[:3]) // where a message is, and not what it says
)

// column is a column of a table whose rows are values of type R.
type column[R any] struct {
	name   string
	kind   string       // the type in Postgres
	field  func(*R) any // points to the value: a row is scanned into it, and stored from it
	erased string       // of what a user wrote: what a deletion puts in its place
	member string       // of the JSON of the API, if it is one
}

// within are the columns of a part of a row.
func within[R, P any](part func(*R) *P, columns []column[P]) []column[R] {
	whole := make([]column[R], len(columns))
	for i, c := range columns {
		whole[i] = column[R]{c.name, c.kind, func(row *R) any { return c.field(part(row)) }, c.erased, c.member}
	}
	return whole
}

// value is what the driver is given for a field.
func value(field any) driver.Value {
	switch field := field.(type) { // those of most columns take no reflection
	case *string:
		return *field
	case *ID:
		return field[:]
	}
	v, err := driver.DefaultParameterConverter.ConvertValue(field)
	if err != nil {
		panic(err) // the field of a column is of a type that can be stored
	}
	return v
}

// HasContent reports whether there is anything of what a deletion erases.
func (m *Message) HasContent() bool {
	return slices.ContainsFunc(messageColumns, func(c column[Message]) bool {
		return c.erased != "" && !isEmpty(c.field(m))
	})
}

func isEmpty(field any) bool { return reflect.ValueOf(field).Elem().IsZero() }

// optionalJSON is NULL in the database where it is empty.
type optionalJSON string

// Value is what is stored.
func (j optionalJSON) Value() (driver.Value, error) {
	if j == "" {
		return nil, nil //nolint:nilnil // NULL
	}
	return string(j), nil
}

// Scan takes what was stored.
func (j *optionalJSON) Scan(value any) error {
	switch value := value.(type) {
	case nil:
		*j = ""
	case string:
		*j = optionalJSON(value)
	case []byte:
		*j = optionalJSON(value)
	default:
		return fmt.Errorf("%T is no text", value)
	}
	return nil
}
