package messaging

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"
)

// selectMessagesOf returns the messages that a user sent or received, after an id,
// the oldest first. The engines merge the two ranges.
func selectMessagesOf(ctx context.Context, q sqlx.QueryerContext, user string, after ID, limit int) ([]StoredMessage, error) {
	const columns = "SELECT " + storedColumns + " FROM messages WHERE id > $2 AND NOT deleted"
	messages := make([]StoredMessage, 0, limit)
	err := sqlx.SelectContext(ctx, q, &messages,
		columns+" AND recipient = $1 UNION ALL "+columns+" AND sender = $1 AND recipient <> $1 ORDER BY id LIMIT $3", user, after, limit)
	if err != nil {
		return nil, fmt.Errorf("select messages of a user: %w", err)
	}
	return messages, nil
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
