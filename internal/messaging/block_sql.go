package messaging

import (
	"cmp"
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
)

// insertBlock stores a block, and marks the mailbox of its owner, which must be locked: the next
// transaction that locks the mailbox reads the mark. If there is such a block, it returns errUnchanged.
func insertBlock(ctx context.Context, tx *sqlx.Tx, b Block) error {
	statement, args := Blocks.Insert(&b)
	result, err := tx.ExecContext(ctx, tx.Rebind(statement+` ON CONFLICT (owner, peer) DO NOTHING`), args...)
	if err != nil {
		return fmt.Errorf("insert block: %w", err)
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return cmp.Or(err, errUnchanged)
	}
	if _, err := tx.ExecContext(ctx, `UPDATE mailboxes SET blocking = true WHERE user_id = $1 AND NOT blocking`, b.Owner); err != nil {
		return fmt.Errorf("note block: %w", err)
	}
	return nil
}

func deleteBlock(ctx context.Context, tx *sqlx.Tx, owner, peer string) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM blocks WHERE owner = $1 AND peer = $2`, owner, peer); err != nil {
		return fmt.Errorf("delete block: %w", err)
	}
	return nil
}

// selectBlocks returns a user's blocks of the peers whose ids are greater than after.
func selectBlocks(ctx context.Context, q sqlx.QueryerContext, owner, after string, limit int) ([]Block, error) {
	blocks, err := Blocks.Select(ctx, q, `
		SELECT `+Blocks.Columns()+` FROM blocks WHERE owner = $1 AND peer > $2 ORDER BY peer LIMIT $3`, owner, after, limit)
	if err != nil {
		return nil, fmt.Errorf("select blocks: %w", err)
	}
	return blocks, nil
}

// selectBlock reports whether a user has blocked a peer.
func selectBlock(ctx context.Context, q sqlx.QueryerContext, owner, peer string) (bool, error) {
	var found int
	if err := sqlx.GetContext(ctx, q, &found, `SELECT count(*) FROM blocks WHERE owner = $1 AND peer = $2`, owner, peer); err != nil {
		return false, fmt.Errorf("select block: %w", err)
	}
	return found > 0, nil
}

// selectBlocked returns the recipients and senders of the messages whose recipient has blocked the sender.
func selectBlocked(ctx context.Context, tx *sqlx.Tx, messages []*StoredMessage) (map[side]bool, error) {
	if len(messages) == 0 {
		return nil, nil //nolint:nilnil // an empty map
	}
	args := make([]any, 0, 2*len(messages))
	for _, m := range messages {
		args = append(args, m.Recipient, m.Sender)
	}
	var found []struct{ Owner, Peer string }
	err := tx.SelectContext(ctx, &found, tx.Rebind(`
		SELECT owner, peer FROM blocks WHERE (owner, peer) IN (VALUES `+db.RowsOf(len(messages), "(?,?)")+`)`), args...)
	if err != nil {
		return nil, fmt.Errorf("select blocks of senders: %w", err)
	}
	blocked := make(map[side]bool, len(found))
	for _, b := range found {
		blocked[side{b.Owner, b.Peer}] = true
	}
	return blocked, nil
}
