package contract

import (
	"github.com/message-service/message-service/internal/messaging"
	"github.com/message-service/message-service/internal/roster"
)

// AppendTyping appends the JSON of who is typing to b, for one of the recipients: they address a user by the id of that
// user, and a group by its own.
func AppendTyping(b []byte, t *messaging.Typing) []byte {
	peer := t.User
	if roster.IsGroup(t.Peer) {
		peer = t.Peer
	}
	b = AppendText(append(b, `{"user":`...), t.User)
	b = AppendText(append(b, `,"peer":`...), peer)
	return append(appendTimestamp(append(b, `,"expiresAt":`...), t.ExpiresAt.UTC()), '}')
}
