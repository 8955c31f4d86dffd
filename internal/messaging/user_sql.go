package messaging

import (
	"context"
	"fmt"
	"slices"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
)

// selectMessagesOf returns the messages that a user sent or received, after an id,
// the oldest first.
func selectMessagesOf(ctx context.Context, q sqlx.QueryerContext, engine db.Engine, user string, after ID, limit int) (Page, error) {
	role := func(column string) string {
		return fmt.Sprintf("SELECT %s FROM messages WHERE %s = $1 AND id > $2 AND deleted = false", messageColumns, column)
	}
	return selectPage(ctx, q, limit, merged(engine, role("recipient"), role("sender"), "ORDER BY id LIMIT $3"), user, after, limit+1)
}

// selectLive returns the oldest messages that a user sent or received and that are not deleted,
// without what they say.
func selectLive(ctx context.Context, q sqlx.QueryerContext, user string, limit int) ([]Message, error) {
	role := func(column string) string {
		return fmt.Sprintf("SELECT id, sender, recipient FROM messages WHERE %s = $1 AND deleted = false ORDER BY id LIMIT $2", column)
	}
	var oldest ID
	return selectBoth(ctx, q, Window{After: &oldest, Limit: limit - 1}, role("recipient"), role("sender"),
		func(m Message) ID { return m.ID }, user, limit)
}

// selectChangeAfter returns the position in a user's mailbox up to which there are some edits and deletions
// after another position, or nil if there are none.
func selectChangeAfter(ctx context.Context, tx *sqlx.Tx, user string, after ID, some int) (*ID, error) {
	role := func(column string) string {
		return fmt.Sprintf("SELECT changed FROM messages WHERE %s = $1 AND changed > $2 AND changed IS NOT NULL ORDER BY changed LIMIT $3", column)
	}
	positions := make([]ID, 0, 2*some)
	err := tx.SelectContext(ctx, &positions, "SELECT * FROM ("+role("recipient")+") AS a UNION ALL SELECT * FROM ("+role("sender")+") AS b",
		user, after, some)
	if err != nil {
		return nil, fmt.Errorf("select changes to free keys of: %w", err)
	}
	if len(positions) == 0 {
		return nil, nil //nolint:nilnil // no position is an answer, not an error
	}
	slices.SortFunc(positions, ID.Compare)
	return &positions[min(some, len(positions))-1], nil
}

// freeKeys forgets the idempotency keys of the tombstones that a user's mailbox has after a
// position and up to another.
func freeKeys(ctx context.Context, tx *sqlx.Tx, user string, after, upTo ID) error {
	for _, column := range []string{"recipient", "sender"} {
		_, err := tx.ExecContext(ctx, fmt.Sprintf(`
			UPDATE messages SET key_hash = NULL, fingerprint = NULL
			WHERE %s = $1 AND changed > $2 AND changed <= $3 AND changed IS NOT NULL AND deleted = true AND key_hash IS NOT NULL`, column),
			user, after, upTo)
		if err != nil {
			return fmt.Errorf("free idempotency keys: %w", err)
		}
	}
	return nil
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
