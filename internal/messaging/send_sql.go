package messaging

import (
	"context"
	"fmt"
	"slices"

	"github.com/jmoiron/sqlx"
)

// selectKeyed returns the messages that hold the idempotency keys of others, of which some may have none.
func selectKeyed(ctx context.Context, tx *sqlx.Tx, others []*StoredMessage) ([]StoredMessage, error) {
	others = slices.DeleteFunc(slices.Clone(others), func(m *StoredMessage) bool { return m.Hash == nil })
	if len(others) == 0 {
		return nil, nil
	}
	keys, args := dialects[tx.DriverName()].keysOf(others)
	found, err := Messages.Select(ctx, tx, `
		SELECT `+Messages.Columns()+` FROM messages WHERE key_hash IS NOT NULL AND (recipient, sender, key_hash) IN (`+keys+`)`, args...)
	if err != nil {
		return nil, fmt.Errorf("select by idempotency key: %w", err)
	}
	return found, nil
}

// selectRepliedTo returns the messages that the replies refer to, by id, deleted or not.
func selectRepliedTo(ctx context.Context, tx *sqlx.Tx, replies []*StoredMessage) (map[ID]*Message, error) {
	ids := make([]ID, len(replies))
	for i, m := range replies {
		ids[i] = *m.ReplyTo
	}
	return selectIdentities(ctx, tx, ids)
}

// selectIdentities returns the id, sender and recipient of the messages with some ids, by id, deleted or not.
func selectIdentities(ctx context.Context, tx *sqlx.Tx, ids []ID) (map[ID]*Message, error) {
	if len(ids) == 0 {
		return nil, nil //nolint:nilnil // an empty map
	}
	from, args := dialects[tx.DriverName()].withIDs(anyDeleted, ids)
	list, err := identities.Select(ctx, tx, "SELECT "+identities.Columns()+" "+from, args...)
	if err != nil {
		return nil, fmt.Errorf("select messages by id: %w", err)
	}
	found := make(map[ID]*Message, len(list))
	for i := range list {
		found[list[i].ID] = &list[i]
	}
	return found, nil
}
