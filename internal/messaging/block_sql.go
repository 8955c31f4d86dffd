package messaging

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"
)

func insertBlock(ctx context.Context, tx *sqlx.Tx, b Block) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO blocks (owner, peer, changed) VALUES ($1, $2, $3) ON CONFLICT (owner, peer) DO NOTHING`, b.Owner, b.Peer, b.Changed)
	if err != nil {
		return fmt.Errorf("insert block: %w", err)
	}
	return nil
}

func deleteBlock(ctx context.Context, tx *sqlx.Tx, owner, peer string) error {
	if _, err := tx.ExecContext(ctx, `DELETE FROM blocks WHERE owner = $1 AND peer = $2`, owner, peer); err != nil {
		return fmt.Errorf("delete block: %w", err)
	}
	return nil
}

// selectBlocks returns the blocks of a user of peers after an id, which may be empty.
func selectBlocks(ctx context.Context, q sqlx.QueryerContext, owner, after string, limit int) ([]Block, error) {
	blocks := make([]Block, 0, limit)
	err := sqlx.SelectContext(ctx, q, &blocks, `
		SELECT owner, peer, changed FROM blocks WHERE owner = $1 AND peer > $2 ORDER BY peer LIMIT $3`, owner, after, limit)
	if err != nil {
		return nil, fmt.Errorf("select blocks: %w", err)
	}
	return blocks, nil
}

// selectBlocked returns which of the sends are to users who have blocked the sender.
func selectBlocked(ctx context.Context, tx *sqlx.Tx, sends []*send) (map[side]bool, error) {
	args := make([]any, 0, 2*len(sends))
	for _, s := range sends {
		args = append(args, s.draft.Recipient, s.draft.Sender)
	}
	var found []Block
	err := tx.SelectContext(ctx, &found, tx.Rebind(`
		SELECT owner, peer FROM blocks WHERE (owner, peer) IN (VALUES `+rowsOf(len(sends), "(?,?)")+`)`), args...)
	if err != nil {
		return nil, fmt.Errorf("select blocks of sends: %w", err)
	}
	blocked := make(map[side]bool, len(found))
	for _, b := range found {
		blocked[side{b.Owner, b.Peer}] = true
	}
	return blocked, nil
}
