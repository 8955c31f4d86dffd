package messaging

import (
	"context"
	"fmt"
	"slices"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
)

// selectKeyed returns the messages that hold the idempotency keys of others, of which some may have none.
func selectKeyed(ctx context.Context, tx *sqlx.Tx, others []*StoredMessage) ([]StoredMessage, error) {
	others = slices.DeleteFunc(slices.Clone(others), func(m *StoredMessage) bool { return m.Hash == nil })
	if len(others) == 0 {
		return nil, nil
	}
	keys, args := keysOf[tx.DriverName()](others)
	found, err := Messages.Select(ctx, tx, `
		SELECT `+Messages.Columns()+` FROM messages WHERE key_hash IS NOT NULL AND (recipient, sender, key_hash) IN (`+keys+`)`, args...)
	if err != nil {
		return nil, fmt.Errorf("select by idempotency key: %w", err)
	}
	return found, nil
}

// keysOf write the rows of recipient, sender and hash of messages, for each engine by the name of its driver.
var keysOf = map[string]func([]*StoredMessage) (rows string, args []any){
	string(db.SQLite): func(list []*StoredMessage) (rows string, args []any) {
		for _, m := range list {
			args = append(args, m.Recipient, m.Sender, m.Hash)
		}
		return "VALUES " + db.RowsOf(len(list), "(?,?,?)"), args
	},
	string(db.Postgres): func(list []*StoredMessage) (rows string, args []any) {
		recipients, senders, hashes := make([]string, len(list)), make([]string, len(list)), make([][]byte, len(list))
		for i, m := range list {
			recipients[i], senders[i], hashes[i] = m.Recipient, m.Sender, m.Hash
		}
		return "SELECT * FROM unnest($1::text[], $2::text[], $3::bytea[])", []any{db.Array(recipients), db.Array(senders), db.Array(hashes)}
	},
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
	from, args := withIDs[tx.DriverName()](anyDeleted, ids)
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
