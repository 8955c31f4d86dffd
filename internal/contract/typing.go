package contract

import (
	"github.com/message-service/message-service/internal/messaging"
	"github.com/message-service/message-service/internal/roster"
)

// AppendTyping appends to b the JSON of who is typing, as each recipient is told it: for them the conversation with a user
// is with that user, and one in a group is with the group.
func AppendTyping(b []byte, t *messaging.Typing) []byte {
	peer := t.User
	if roster.IsGroup(t.Peer) {
		peer = t.Peer
	}
	b = AppendText(append(b, `{"user":`...), t.User)
	b = AppendText(append(b, `,"peer":`...), peer)
	return append(appendTimestamp(append(b, `,"expiresAt":`...), t.ExpiresAt.UTC()), '}')
}
