package contract

import (
	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/messaging"
)

// AppendBlock appends the JSON of a block to b.
func AppendBlock(b []byte, block *messaging.Block) []byte {
	b = AppendText(append(b, `{"user":`...), block.Owner)
	b = AppendText(append(b, `,"peer":`...), block.Peer)
	return append(appendTime(append(b, `,"blockedAt":`...), block.Changed), '}')
}

// ToBlock is the block that an export has, with the id of its latest change.
func ToBlock(b *server.Block, changed server.MessageID) messaging.Block {
	return messaging.Block{Owner: b.User, Peer: b.Peer, Changed: messaging.ID(changed)}
}
