package archive

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jmoiron/sqlx"
)

// checkStore refuses an imported store whose records contradict each other, and names a line.
// Each line of the file is one record, in the order of an export, so the number of a line is the
// position of its record in that order.
func checkStore(ctx context.Context, tx *sqlx.Tx) error {
	for _, check := range []struct{ find, refusal string }{
		{findSamePosition, "another change of the same mailbox has this position"},
		{findMarkerAhead, "the read marker is beyond the newest message of its conversation, or there is none"},
		{findNoGroup, "the group is not in the file"},
	} {
		var line int64
		switch err := tx.GetContext(ctx, &line, check.find); {
		case err == nil:
			return fmt.Errorf("line %d: %s", line, check.refusal)
		case !errors.Is(err, sql.ErrNoRows):
			return fmt.Errorf("check what was imported: %w", err)
		}
	}
	return nil
}

// lines numbers the records in the order of an export.
const lines = `
	WITH message_lines AS (
		SELECT row_number() OVER (ORDER BY id) AS line, recipient, sender, coalesce(changed, id) AS position FROM messages
	), marker_lines AS (
		SELECT (SELECT count(*) FROM messages) + row_number() OVER (ORDER BY owner, peer) AS line, owner, peer, message_id, changed
		FROM read_markers
	), block_lines AS (
		SELECT (SELECT count(*) FROM messages) + (SELECT count(*) FROM read_markers)
			+ row_number() OVER (ORDER BY owner, peer) AS line, owner, changed FROM blocks
	)`

// findSamePosition selects the line of a record whose position in a mailbox is that of an earlier
// record.
const findSamePosition = lines + `
	SELECT line FROM (
		SELECT line, lag(position) OVER (PARTITION BY user_id ORDER BY position, line) = position AS same FROM (
			SELECT line, recipient AS user_id, position FROM message_lines
			UNION ALL SELECT line, sender, position FROM message_lines WHERE sender <> recipient
			UNION ALL SELECT line, owner, changed FROM marker_lines
			UNION ALL SELECT line, peer, changed FROM marker_lines WHERE peer <> owner AND peer < '~'
			UNION ALL SELECT line, owner, changed FROM block_lines
		) AS positions
	) AS neighbours WHERE same ORDER BY line LIMIT 1`

// findMarkerAhead selects the line of a read marker that is beyond every message of its conversation,
// including tombstones.
const findMarkerAhead = lines + `, newer_tombstones AS (
		SELECT marker.owner, marker.peer FROM marker_lines AS marker
		JOIN messages ON recipient = marker.owner AND deleted = true AND id >= marker.message_id AND sender = marker.peer
		UNION SELECT marker.owner, marker.peer FROM marker_lines AS marker
		JOIN messages ON recipient = marker.peer AND deleted = true AND id >= marker.message_id AND sender = marker.owner
	)
	SELECT line FROM marker_lines AS marker
	WHERE peer < '~' AND NOT EXISTS (
		SELECT 1 FROM conversations WHERE owner = marker.owner AND peer = marker.peer AND last_message_id >= marker.message_id
	) AND NOT EXISTS (
		SELECT 1 FROM newer_tombstones AS newer WHERE newer.owner = marker.owner AND newer.peer = marker.peer
	) OR peer >= '~' AND NOT EXISTS (
		SELECT 1 FROM messages WHERE recipient = peer AND deleted IN (false, true) AND id >= marker.message_id
	) ORDER BY line LIMIT 1`

// findNoGroup selects the line of a message to a group, or of a membership that has ended, whose group is not there.
const findNoGroup = lines + `, ended_lines AS (
		SELECT (SELECT count(*) FROM messages) + (SELECT count(*) FROM read_markers) + (SELECT count(*) FROM blocks)
			+ (SELECT count(*) FROM groups) + (SELECT count(*) FROM memberships WHERE state = 'active')
			+ row_number() OVER (ORDER BY user_id, group_id) AS line, group_id FROM memberships WHERE state <> 'active'
	)
	SELECT line FROM (
		SELECT line, recipient AS address FROM message_lines WHERE recipient >= '~'
		UNION ALL SELECT line, group_id FROM ended_lines
	) AS addressed
	WHERE NOT EXISTS (SELECT 1 FROM groups WHERE group_id = address) ORDER BY line LIMIT 1`
