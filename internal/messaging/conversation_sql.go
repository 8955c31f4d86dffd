package messaging

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/jmoiron/sqlx"
)

// conversation is one user's side of the messages with another.
type conversation struct{ owner, peer string }

// touchConversations makes the messages, which are in order within each pair of
// users, the newest of their conversations. The mailboxes must be locked, so no
// newer one is overtaken.
func touchConversations(ctx context.Context, tx *sqlx.Tx, messages []*Message) error {
	newest := make(map[conversation]ID, 2*len(messages))
	for _, m := range messages {
		newest[conversation{m.Recipient, m.Sender}] = m.ID
		newest[conversation{m.Sender, m.Recipient}] = m.ID
	}
	keys := make([]conversation, 0, len(newest))
	for key := range newest {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b conversation) int {
		return cmp.Or(cmp.Compare(a.owner, b.owner), cmp.Compare(a.peer, b.peer))
	})
	args := make([]any, 0, 3*len(keys))
	for _, key := range keys {
		args = append(args, key.owner, key.peer, newest[key])
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO conversations (owner, peer, last_message_id) VALUES `+placeholders(len(keys), 3)+`
		ON CONFLICT (owner, peer) DO UPDATE SET last_message_id = excluded.last_message_id`, args...)
	if err != nil {
		return fmt.Errorf("touch conversations: %w", err)
	}
	return nil
}
