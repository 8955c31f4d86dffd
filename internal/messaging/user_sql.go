package messaging

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"
)

// selectMessagesOf returns the messages that a user sent or received, after an id,
// the oldest first.
func selectMessagesOf(ctx context.Context, q sqlx.QueryerContext, user string, after ID, limit int) ([]StoredMessage, error) {
	role := func(column string) string {
		return fmt.Sprintf("SELECT %s FROM messages WHERE %s = $1 AND id > $2 AND NOT deleted ORDER BY id LIMIT $3", storedColumns, column)
	}
	return selectBoth(ctx, q, Window{After: &after, Limit: limit - 1}, role("recipient"), role("sender"),
		func(m StoredMessage) ID { return m.ID }, user, after, limit)
}

// selectReadMarkers returns the markers of a user with peers after an id, which may
// be empty.
func selectReadMarkers(ctx context.Context, q sqlx.QueryerContext, owner, after string, limit int) ([]ReadMarker, error) {
	markers := make([]ReadMarker, 0, limit)
	err := sqlx.SelectContext(ctx, q, &markers, `
		SELECT owner, peer, message_id, changed FROM read_markers WHERE owner = $1 AND peer > $2 ORDER BY peer LIMIT $3`, owner, after, limit)
	if err != nil {
		return nil, fmt.Errorf("select read markers: %w", err)
	}
	return markers, nil
}

// deleteMarkersAndBlocks deletes the read markers of a user and of their peers in
// the conversations with them, and the user's blocks.
func deleteMarkersAndBlocks(ctx context.Context, tx *sqlx.Tx, user string) error {
	for _, statement := range []string{
		"DELETE FROM read_markers WHERE owner = $1",
		"DELETE FROM read_markers WHERE peer = $1",
		"DELETE FROM blocks WHERE owner = $1",
	} {
		if _, err := tx.ExecContext(ctx, statement, user); err != nil {
			return fmt.Errorf("erase a user: %w", err)
		}
	}
	return nil
}
