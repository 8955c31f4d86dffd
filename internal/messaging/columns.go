package messaging

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"reflect"
	"slices"

	"github.com/message-service/message-service/internal/table"
)

// The one list of the columns of each table whose rows are values of this package. The statements
// that read and write these rows are made from it; see [table.Table].
var (
	messageColumns = []table.Column[Message]{
		{Name: "id", Kind: "uuid", Field: func(m *Message) any { return &m.ID }, Member: "id"},
		{Name: "sender", Kind: "text", Field: func(m *Message) any { return &m.Sender }, Member: "sender"},
		{Name: "recipient", Kind: "text", Field: func(m *Message) any { return &m.Recipient }, Member: "recipient"},
		{Name: "text", Kind: "text", Field: func(m *Message) any { return &m.Text }, Member: "text", Erased: "''"},
		{Name: "metadata", Kind: "text", Field: func(m *Message) any { return (*table.OptionalJSON)(&m.Metadata) }, Member: "metadata", Erased: "NULL"},
		{Name: "reply_to", Kind: "uuid", Field: func(m *Message) any { return &m.ReplyTo }, Member: "replyTo", Erased: "NULL"},
		{Name: "changed", Kind: "uuid", Field: func(m *Message) any { return &m.Changed }},
		{Name: "deleted", Kind: "boolean", Field: func(m *Message) any { return &m.Deleted }},
	}

	keyColumns = []table.Column[KeyRecord]{
		{Name: "key_hash", Kind: "bytea", Field: func(r *KeyRecord) any { return &r.Hash }},
		{Name: "fingerprint", Kind: "bytea", Field: func(r *KeyRecord) any { return &r.Fingerprint }},
	}

	storedColumns = slices.Concat(
		table.Within(func(m *StoredMessage) *Message { return &m.Message }, messageColumns),
		table.Within(func(m *StoredMessage) *KeyRecord { return &m.KeyRecord }, keyColumns))

	markerColumns = []table.Column[ReadMarker]{
		{Name: "owner", Field: func(m *ReadMarker) any { return &m.Owner }},
		{Name: "peer", Field: func(m *ReadMarker) any { return &m.Peer }},
		{Name: "message_id", Field: func(m *ReadMarker) any { return &m.MessageID }},
		{Name: "changed", Field: func(m *ReadMarker) any { return &m.Changed }},
	}

	blockColumns = []table.Column[Block]{
		{Name: "owner", Field: func(b *Block) any { return &b.Owner }},
		{Name: "peer", Field: func(b *Block) any { return &b.Peer }},
		{Name: "changed", Field: func(b *Block) any { return &b.Changed }},
	}

	settingsColumns = []table.Column[ConversationSettings]{
		{Name: "owner", Field: func(s *ConversationSettings) any { return &s.Owner }},
		{Name: "peer", Field: func(s *ConversationSettings) any { return &s.Peer }},
		{Name: "last_message_id", Field: func(s *ConversationSettings) any { return &s.LastMessage }},
		{Name: "muted_until", Field: func(s *ConversationSettings) any { return table.OptionalTime{Field: &s.MutedUntil} }},
		{Name: "hidden", Field: func(s *ConversationSettings) any { return &s.Hidden }},
	}
)

// The tables.
var (
	Messages    = table.New("messages", storedColumns)
	ReadMarkers = table.New("read_markers", markerColumns)
	Blocks      = table.New("blocks", blockColumns)
	Settings    = table.New("conversations", settingsColumns) // those conversations for which something is set

	messages   = table.New("messages", messageColumns)
	identities = table.New("messages", messageColumns[:3]) // id, sender and recipient only
)

// HasContent reports whether the message has anything that a deletion erases.
func (m *Message) HasContent() bool {
	return slices.ContainsFunc(messageColumns, func(c table.Column[Message]) bool {
		return c.Erased != "" && !isEmpty(c.Field(m))
	})
}

// value converts a field to what the driver takes.
func value(field any) driver.Value {
	switch field := field.(type) { // most columns need no reflection
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

func isEmpty(field any) bool { return reflect.ValueOf(field).Elem().IsZero() }

// setRow sets the fields of a row to the values that the driver returns.
func setRow(fields []any, row []driver.Value) error {
	for i, v := range row {
		if err := set(fields[i], v); err != nil {
			return err
		}
	}
	return nil
}

// set is the reverse of value.
func set(field any, v driver.Value) error {
	switch field := field.(type) {
	case *string:
		if text, ok := v.(string); ok {
			*field = text
			return nil
		}
	case *bool:
		switch v := v.(type) {
		case bool:
			*field = v
			return nil
		case int64: // of SQLite
			*field = v != 0
			return nil
		}
	case **ID:
		if *field = nil; v == nil {
			return nil
		}
		*field = new(ID)
		return (*field).Scan(v)
	case sql.Scanner:
		return field.Scan(v)
	default:
		return setInteger(reflect.ValueOf(field).Elem(), v)
	}
	return fmt.Errorf("a column of a %T has a %T", field, v)
}

// setInteger sets an integer, or a pointer to one, which is nil for NULL.
func setInteger(field reflect.Value, v driver.Value) error {
	if field.Kind() == reflect.Pointer {
		if field.SetZero(); v == nil {
			return nil
		}
		field.Set(reflect.New(field.Type().Elem()))
		field = field.Elem()
	}
	n, ok := v.(int64)
	if !ok || !field.CanInt() || field.OverflowInt(n) {
		return fmt.Errorf("a column of a %s has a %T", field.Type(), v)
	}
	field.SetInt(n)
	return nil
}
