package contract

import (
	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/messaging"
)

// ChangeType is the type of a change.
func ChangeType(c *messaging.Change) server.ChangeType {
	switch {
	case c.Message != nil:
		return server.ChangeTypeMessage
	case c.Group != nil:
		return server.ChangeTypeGroup
	case c.Membership != nil:
		return server.ChangeTypeMembership
	}
	return server.ChangeTypeRead
}

// AppendChange appends the JSON of a change to b.
func AppendChange(b []byte, c *messaging.Change) []byte {
	b = AppendID(append(b, `{"cursor":`...), c.Cursor)
	b = append(append(append(b, `,"type":"`...), ChangeType(c)...), '"')
	switch {
	case c.Message != nil:
		b = AppendMessage(append(b, `,"message":`...), c.Message)
	case c.Group != nil:
		b = AppendGroup(append(b, `,"group":`...), c.Group)
	case c.Membership != nil:
		b = AppendMembership(append(b, `,"membership":`...), c.Membership)
	default:
		b = AppendReadMarker(append(b, `,"readMarker":`...), c.ReadMarker)
	}
	return append(b, '}')
}
