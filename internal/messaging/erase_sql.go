package messaging

import (
	"context"
	"fmt"
	"slices"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/roster"
)

// remnants are the data of a user that are left, or a part of them.
type remnants struct {
	messages []Message    // not deleted
	keyed    []Message    // tombstones that hold idempotency keys
	markers  []ReadMarker // the user's, and those of peers in conversations with them
	scanned  *ID          // the change up to which tombstones were scanned; nil if there are no changes
}

func (r *remnants) isEmpty() bool {
	return len(r.messages) == 0 && len(r.keyed) == 0 && len(r.markers) == 0 && r.scanned == nil
}

// owners are the users whom the remnants concern.
func (r *remnants) owners() []string {
	owners := make([]string, 0, 2*(len(r.messages)+len(r.keyed)+len(r.markers)))
	for _, messages := range [][]Message{r.messages, r.keyed} {
		for _, m := range messages {
			if owners = append(owners, m.Sender); !roster.IsGroup(m.Recipient) { // no feed shows that the key is free
				owners = append(owners, m.Recipient)
			}
		}
	}
	for _, m := range r.markers {
		owners = append(owners, m.Owner, m.Peer)
	}
	return owners
}

// selectRemnants returns data of a user: up to limit of the oldest messages, without their
// content, and of the read markers, and the tombstones with keys, also in groups, among the
// eraseScan changes after a position.
func selectRemnants(ctx context.Context, q sqlx.QueryerContext, user string, after ID, limit int) (r remnants, err error) {
	if r.messages, err = selectLive(ctx, q, user, limit); err != nil {
		return r, err
	}
	if r.markers, err = selectMarkersOf(ctx, q, user, limit); err != nil {
		return r, err
	}
	if r.scanned, err = selectChangeAfter(ctx, q, user, after, eraseScan, sentToGroups); err != nil || r.scanned == nil {
		return r, err
	}
	r.keyed, err = selectKeyedTombstones(ctx, q, user, after, *r.scanned)
	return r, err
}

// selectLive returns the oldest messages that a user sent or received and that are not deleted,
// without their content.
func selectLive(ctx context.Context, q sqlx.QueryerContext, user string, limit int) ([]Message, error) {
	role := func(column string) string {
		return fmt.Sprintf("SELECT %s FROM messages WHERE %s AND deleted = false ORDER BY id LIMIT $2", identities.Columns(), inMailbox(column, "$1"))
	}
	found, err := identities.Select(ctx, q, db.UnionAll(role("recipient"), role("sender")), user, limit)
	if err != nil {
		return nil, fmt.Errorf("select messages to erase: %w", err)
	}
	slices.SortFunc(found, func(a, b Message) int { return a.ID.Compare(b.ID) })
	found = slices.CompactFunc(found, func(a, b Message) bool { return a.ID == b.ID }) // sent to oneself
	return found[:min(len(found), limit)], nil
}

// selectMarkersOf returns read markers of a user, and of peers in conversations with them. Those in groups end
// with the membership.
func selectMarkersOf(ctx context.Context, q sqlx.QueryerContext, user string, limit int) ([]ReadMarker, error) {
	role := func(column string) string {
		return fmt.Sprintf("SELECT %s FROM read_markers WHERE coalesce(%s, %[2]s) = $1 AND peer < '~' ORDER BY changed LIMIT $2", ReadMarkers.Columns(), column)
	}
	markers, err := ReadMarkers.Select(ctx, q,
		"SELECT * FROM ("+role("owner")+") AS a UNION SELECT * FROM ("+role("peer")+") AS b LIMIT $2", user, limit)
	if err != nil {
		return nil, fmt.Errorf("select read markers to erase: %w", err)
	}
	return markers, nil
}

// sentToGroups is the condition of the messages that $1 has sent to groups.
const sentToGroups = "sender = $1 AND recipient >= '~'"

// selectChangeAfter returns the position of the edit or deletion that is some places after a
// position in a user's mailbox, or of the last one, or nil if there are none. Those of messages with other
// conditions count, too.
func selectChangeAfter(ctx context.Context, q sqlx.QueryerContext, user string, after ID, some int, also ...string) (position *ID, err error) {
	arms := append([]string{inMailbox("recipient", "$1"), inMailbox("sender", "$1")}, also...)
	for i, where := range arms {
		arms[i] = fmt.Sprintf("SELECT changed FROM messages WHERE %s AND changed > $2 AND changed IS NOT NULL ORDER BY changed LIMIT $3", where)
	}
	positions := make([]ID, 0, 2*some)
	if err = sqlx.SelectContext(ctx, q, &positions, db.UnionAll(arms...), user, after, some); err != nil {
		return nil, fmt.Errorf("select changes to free keys of: %w", err)
	}
	if len(positions) == 0 {
		return nil, nil //nolint:nilnil // no change is an answer, not an error
	}
	slices.SortFunc(positions, ID.Compare)
	return &positions[min(some, len(positions))-1], nil
}

// selectKeyedTombstones returns the tombstones that hold idempotency keys, between two positions
// in a user's mailbox, and of those that they sent to groups.
func selectKeyedTombstones(ctx context.Context, q sqlx.QueryerContext, user string, after, upTo ID) ([]Message, error) {
	arm := func(where string) string {
		return fmt.Sprintf(`
			SELECT %s FROM messages
			WHERE %s AND changed > $2 AND changed <= $3 AND changed IS NOT NULL AND deleted = true AND key_hash IS NOT NULL`, identities.Columns(), where)
	}
	found, err := identities.Select(ctx, q,
		arm(inMailbox("recipient", "$1"))+" UNION "+arm(inMailbox("sender", "$1"))+" UNION "+arm(sentToGroups), user, after, upTo)
	if err != nil {
		return nil, fmt.Errorf("select keys to free: %w", err)
	}
	return found, nil
}

// freeKeys deletes the records of the idempotency keys of tombstones.
func freeKeys(ctx context.Context, tx *sqlx.Tx, tombstones []Message) error {
	if len(tombstones) == 0 {
		return nil
	}
	args := make([]any, 0, 2*len(tombstones))
	for i := range tombstones {
		args = append(args, tombstones[i].Recipient, tombstones[i].ID)
	}
	_, err := tx.ExecContext(ctx, tx.Rebind(`
		UPDATE messages SET key_hash = NULL, fingerprint = NULL
		FROM `+tombstoneRows(len(tombstones), 1)+`
		WHERE recipient = column1 AND deleted = true AND id = column2`), args...)
	if err != nil {
		return fmt.Errorf("free idempotency keys: %w", err)
	}
	return nil
}

func deleteReadMarkers(ctx context.Context, tx *sqlx.Tx, markers []ReadMarker) error {
	if len(markers) == 0 {
		return nil
	}
	args := make([]any, 0, 2*len(markers))
	for _, m := range markers {
		args = append(args, m.Owner, m.Peer)
	}
	_, err := tx.ExecContext(ctx, tx.Rebind(`DELETE FROM read_markers WHERE (owner, peer) IN (VALUES `+db.RowsOf(len(markers), "(?,?)")+`)`), args...)
	if err != nil {
		return fmt.Errorf("erase read markers: %w", err)
	}
	return nil
}

// deleteChoices deletes a user's blocks, and their mutes of users with whom there is no message any more.
func deleteChoices(ctx context.Context, tx *sqlx.Tx, user string) error {
	for _, table := range []string{"blocks", "conversations"} {
		if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE owner = $1", user); err != nil {
			return fmt.Errorf("erase %s: %w", table, err)
		}
	}
	return nil
}
