package messaging

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/roster"
)

// side is one user's side of a conversation.
type side struct{ owner, peer string }

// setLastMessages makes messages, which are in order within each pair of users, the last
// ones of their conversations. The mailboxes must be locked, so that no newer message is replaced.
func setLastMessages(ctx context.Context, tx *sqlx.Tx, stored []*Message) error {
	if len(stored) == 0 {
		return nil
	}
	newest := make(map[side]ID, 2*len(stored))
	for _, m := range stored {
		newest[side{m.Recipient, m.Sender}] = m.ID
		newest[side{m.Sender, m.Recipient}] = m.ID
	}
	keys := make([]side, 0, len(newest))
	for key := range newest {
		keys = append(keys, key)
	}
	slices.SortFunc(keys, func(a, b side) int {
		return cmp.Or(cmp.Compare(a.owner, b.owner), cmp.Compare(a.peer, b.peer))
	})
	ctx, batches := db.Batches(ctx, tx.DriverName(), keys, len(keys))
	for some := range batches {
		args := make([]any, 0, 3*len(some))
		for _, key := range some {
			args = append(args, key.owner, key.peer, newest[key])
		}
		statement := tx.Rebind(setLast("VALUES " + db.RowsOf(len(some), "(?,?,?)")))
		if _, err := tx.ExecContext(ctx, statement, args...); err != nil {
			return fmt.Errorf("set last messages: %w", err)
		}
	}
	return nil
}

// setLast writes a statement that sets the last messages of conversations. The rows are owner,
// peer and message id.
func setLast(rows string) string {
	return `INSERT INTO conversations (owner, peer, last_message_id) ` + rows + `
		ON CONFLICT (owner, peer) DO UPDATE SET last_message_id = excluded.last_message_id`
}

// resetLastMessages replaces deleted messages of a user that were the last ones of their
// conversations by the messages before, and ends a conversation that has none. The
// mailboxes must be locked.
func resetLastMessages(ctx context.Context, tx *sqlx.Tx, e engine, user string, deleted []Message, now time.Time) error {
	if len(deleted) == 0 {
		return nil
	}
	args := []any{user}
	for _, m := range deleted {
		peer := m.Recipient
		if peer == user {
			peer = m.Sender
		}
		args = append(args, peer, m.ID)
	}
	var peers []string
	err := tx.SelectContext(ctx, &peers, tx.Rebind(`
		SELECT peer FROM conversations
		WHERE owner = ? AND (peer, last_message_id) IN (VALUES ('', (SELECT last_message_id FROM conversations LIMIT 0)), `+
		db.RowsOf(len(deleted), "(?,?)")+`) ORDER BY peer`), args...)
	if err != nil {
		return fmt.Errorf("select conversations of deleted messages: %w", err)
	}
	for _, peer := range peers {
		newest, err := selectNewestBetween(ctx, tx, e, user, peer)
		if err != nil {
			return err
		}
		if newest != (ID{}) {
			_, err = tx.ExecContext(ctx, `
				UPDATE conversations SET last_message_id = $1 WHERE (owner, peer) IN (($2, $3), ($3, $2))`, newest, user, peer)
		} else {
			err = endConversation(ctx, tx, user, peer, now)
		}
		if err != nil {
			return fmt.Errorf("reset last messages: %w", err)
		}
	}
	return nil
}

// endConversation ends both sides of a conversation in which there is no message any more. That of a user who mutes
// it stays, for when there is one again: its last message is the zero id, and it is hidden from servers that do not know that.
func endConversation(ctx context.Context, tx *sqlx.Tx, user, peer string, now time.Time) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE conversations SET hidden = last_message_id, last_message_id = $3 WHERE (owner, peer) IN (($1, $2), ($2, $1))`, user, peer, ID{})
	for _, owner := range []side{{user, peer}, {peer, user}} {
		if err == nil {
			err = deleteUnlessMuted(ctx, tx, owner, now)
		}
	}
	return err
}

// deleteUnlessMuted deletes one side of a conversation, if it has ended.
func deleteUnlessMuted(ctx context.Context, tx *sqlx.Tx, of side, now time.Time) error {
	_, err := tx.ExecContext(ctx, `
		DELETE FROM conversations WHERE owner = $1 AND peer = $2 AND last_message_id = $3 AND (muted_until IS NULL OR muted_until <= $4)`,
		of.owner, of.peer, ID{}, now.UnixMicro())
	return err
}

// selectNewestBetween returns the id of the newest message between two users that is not
// deleted, or the zero id.
func selectNewestBetween(ctx context.Context, q sqlx.QueryerContext, e engine, a, b string) (ID, error) {
	direction := func(recipient, sender string) string {
		return "SELECT id FROM messages WHERE " + e.between(recipient, sender) + " AND deleted = false ORDER BY id DESC LIMIT $3"
	}
	var newest []ID // of each direction
	err := sqlx.SelectContext(ctx, q, &newest, db.UnionAll(direction("$1", "$2"), direction("$2", "$1")), a, b, 1)
	if err != nil {
		return ID{}, fmt.Errorf("select newest message: %w", err)
	}
	return slices.MaxFunc(append(newest, ID{}), ID.Compare), nil
}

// selectConversationMessages returns the messages between two users, who may be the same one,
// for Service.page.
func selectConversationMessages(
	ctx context.Context, q sqlx.QueryerContext, e engine, user, peer string, w Window, bounds idRange,
) (Page, error) {
	direction := func(recipient, sender string) string {
		return fmt.Sprintf("SELECT %s FROM messages WHERE %s AND deleted = false AND id >= $3 AND id < $4",
			messages.Columns(), e.between(recipient, sender))
	}
	order := "ORDER BY id " + w.direction() + " LIMIT " + unknownLimit("$5")
	statement := direction("$1", "$2") + " " + order
	if user != peer {
		statement = e.merged(direction("$1", "$2"), direction("$2", "$1"), order)
	}
	return selectPage(ctx, q, w.Limit, statement, user, peer, bounds.low, bounds.high, w.Limit+1)
}

// selectReadMarker returns a user's marker in the conversation with a peer, with the zero
// id if it was never set, or nil if there is no conversation.
func selectReadMarker(ctx context.Context, q sqlx.QueryerContext, owner, peer string) (*ReadMarker, error) {
	conversation, args := `conversations AS c LEFT JOIN read_markers AS r ON r.owner = c.owner AND r.peer = c.peer
		WHERE c.owner = $1 AND c.peer = $2 AND c.last_message_id > $3`, []any{owner, peer, ID{}}
	if roster.IsGroup(peer) {
		args = args[:2]
		conversation = `memberships AS c LEFT JOIN read_markers AS r ON r.owner = c.user_id AND r.peer = c.group_id
		WHERE c.user_id = $1 AND c.group_id = $2 AND c.state = 'active'`
	}
	marker, err := ReadMarkers.First(ctx, q, `SELECT `+ReadMarkers.OfAny("r")+` FROM `+conversation, args...)
	if err != nil {
		return nil, fmt.Errorf("select read marker: %w", err)
	}
	if marker != nil {
		marker.Owner, marker.Peer = owner, peer
	}
	return marker, nil
}

// saveReadMarker inserts or replaces a marker. The mailboxes must be locked.
func saveReadMarker(ctx context.Context, tx *sqlx.Tx, marker ReadMarker) error {
	statement, args := ReadMarkers.Insert(&marker)
	_, err := tx.ExecContext(ctx, tx.Rebind(statement+`
		ON CONFLICT (owner, peer) DO UPDATE SET message_id = excluded.message_id, changed = excluded.changed`), args...)
	if err != nil {
		return fmt.Errorf("save read marker: %w", err)
	}
	return nil
}
