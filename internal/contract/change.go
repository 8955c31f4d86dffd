package contract

import (
	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/messaging"
)

// ChangeType is the type of a change.
func ChangeType(c *messaging.Change) server.ChangeType {
	if c.Message != nil {
		return server.ChangeTypeMessage
	}
	return server.ChangeTypeRead
}

// AppendChange appends the JSON of a change to b.
func AppendChange(b []byte, c *messaging.Change) []byte {
	b = AppendID(append(b, `{"cursor":`...), c.Cursor)
	b = append(append(append(b, `,"type":"`...), ChangeType(c)...), '"')
	if c.Message != nil {
		b = AppendMessage(append(b, `,"message":`...), c.Message)
	} else {
		b = AppendReadMarker(append(b, `,"readMarker":`...), c.ReadMarker)
	}
	return append(b, '}')
}
