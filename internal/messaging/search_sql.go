package messaging

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/words"
)

// Words of the index that no text has: on which side of a message its owner is, and who is on the other.
const (
	receivedWord = "\x01"
	sentWord     = "\x02"
	peerWord     = "\x03" // the peer follows
)

// indexWords are the words that a message with a text has in the index of an owner.
func indexWords(owner string, m *Message, text string) []string {
	list := words.Of(text)
	if m.Recipient == owner {
		list = append(list, receivedWord, peerWord+m.Sender)
	}
	if m.Sender == owner {
		list = append(list, sentWord, peerWord+m.Recipient)
	}
	return list
}

// selectByIDs returns messages that are not deleted, by id.
func selectByIDs(ctx context.Context, q sqlx.QueryerContext, e engine, ids []ID) (map[ID]*Message, error) {
	if len(ids) == 0 {
		return nil, nil //nolint:nilnil // an empty map
	}
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	found, err := messages.Select(ctx, q, e.rebind(`
		SELECT `+messages.Columns()+` FROM messages WHERE deleted = false AND `+EveryID+` IN (`+db.RowsOf(len(ids), "?")+`)`), args...)
	if err != nil {
		return nil, fmt.Errorf("select messages found: %w", err)
	}
	byID := make(map[ID]*Message, len(found))
	for i := range found {
		byID[found[i].ID] = &found[i]
	}
	return byID, nil
}
