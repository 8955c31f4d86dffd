package archive

import (
	"context"
	"fmt"
	"slices"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/messaging"
	"github.com/message-service/message-service/internal/roster"
	"github.com/message-service/message-service/internal/table"
)

func isEmpty(ctx context.Context, tx *sqlx.Tx) (bool, error) {
	var found int
	err := tx.GetContext(ctx, &found, `
		SELECT (SELECT count(*) FROM (SELECT 1 FROM messages LIMIT 1) AS m)
		     + (SELECT count(*) FROM (SELECT 1 FROM read_markers LIMIT 1) AS r)
		     + (SELECT count(*) FROM (SELECT 1 FROM blocks LIMIT 1) AS b)
		     + (SELECT count(*) FROM (SELECT 1 FROM groups LIMIT 1) AS g)`)
	if err != nil {
		return false, fmt.Errorf("look into the store: %w", err)
	}
	return found == 0, nil
}

// insertMessages inserts messages. It returns the index of the first one whose idempotency key is
// taken, or -1.
func insertMessages(ctx context.Context, tx *sqlx.Tx, messages []*messaging.StoredMessage) (taken int, err error) {
	ids, err := messaging.InsertMessages(ctx, tx, messages)
	if err != nil {
		return -1, err
	}
	inserted := make(map[messaging.ID]bool, len(ids))
	for _, id := range ids {
		inserted[id] = true
	}
	return slices.IndexFunc(messages, func(m *messaging.StoredMessage) bool { return !inserted[m.ID] }), nil
}

func insertRows[R any](ctx context.Context, tx *sqlx.Tx, table *table.Table[R], rows []*R) error {
	if len(rows) == 0 {
		return nil
	}
	statement, args := table.Insert(rows...)
	if _, err := tx.ExecContext(ctx, tx.Rebind(statement), args...); err != nil {
		return fmt.Errorf("store %s: %w", table.Name(), err)
	}
	return nil
}

// insertMailboxes makes mailboxes that end at least at their clocks; closed ones are of users who are being erased.
func insertMailboxes(ctx context.Context, tx *sqlx.Tx, mailboxes []*messaging.Mailbox, closed bool) error {
	if len(mailboxes) == 0 {
		return nil
	}
	args := make([]any, 0, 3*len(mailboxes))
	for _, m := range mailboxes {
		args = append(args, m.Address, m.Clock, closed)
	}
	_, err := tx.ExecContext(ctx, tx.Rebind(`
		INSERT INTO mailboxes (user_id, clock, own_changes, closed) VALUES `+db.RowsOf(len(mailboxes), "(?,?,1,?)")+`
		ON CONFLICT (user_id) DO UPDATE SET closed = mailboxes.closed OR excluded.closed,
			clock = CASE WHEN mailboxes.clock < excluded.clock THEN excluded.clock ELSE mailboxes.clock END`), args...)
	if err != nil {
		return fmt.Errorf("store mailboxes: %w", err)
	}
	return nil
}

// deriveRest fills the derived tables: the conversations, the memberships as the groups have them, and the
// mailboxes, with their clocks, which are their newest changes, a count of that, and their blocking flags. The clock of a member is
// at least that of the group. It uses row_number, since no max of ids works in both engines.
func deriveRest(ctx context.Context, tx *sqlx.Tx) error {
	for _, statement := range []string{`
		INSERT INTO conversations (owner, peer, last_message_id)
		SELECT owner, peer, id FROM (
			SELECT owner, peer, id, row_number() OVER (PARTITION BY owner, peer ORDER BY id DESC) AS place FROM (
				SELECT recipient AS owner, sender AS peer, id FROM messages WHERE deleted = false AND recipient < '~'
				UNION ALL SELECT sender, recipient, id FROM messages WHERE deleted = false AND sender <> recipient AND recipient < '~'
			) AS messages
		) AS ordered WHERE place = 1
		ON CONFLICT (owner, peer) DO UPDATE SET last_message_id = excluded.last_message_id`, `
		DELETE FROM conversations WHERE muted_until IS NULL AND hidden IS NOT NULL AND NOT EXISTS (
			SELECT 1 FROM messages WHERE deleted = false AND ` + messaging.EveryID + ` = last_message_id)`, `
		INSERT INTO members (` + roster.MemberTable.Columns() + `)
		SELECT ` + roster.MemberTable.Columns() + ` FROM memberships WHERE state <> 'deleted'`, `
		DELETE FROM read_markers WHERE peer >= '~' AND NOT EXISTS (
			SELECT 1 FROM members WHERE group_id = peer AND user_id = owner AND state = 'active')`, `
		UPDATE groups SET last_message_id = (
			SELECT id FROM messages WHERE recipient = group_id AND messages.deleted = false ORDER BY id DESC LIMIT 1)`, `
		INSERT INTO mailboxes (user_id, clock, own_changes)
		SELECT user_id, id, 1 FROM (
			SELECT user_id, id, row_number() OVER (PARTITION BY user_id ORDER BY id DESC) AS place FROM (
				SELECT recipient AS user_id, coalesce(changed, id) AS id FROM messages
				UNION ALL SELECT sender, coalesce(changed, id) FROM messages
				UNION ALL SELECT owner, changed FROM read_markers
				UNION ALL SELECT peer, changed FROM read_markers WHERE peer < '~'
				UNION ALL SELECT owner, changed FROM blocks
				UNION ALL SELECT group_id, changed FROM groups
				UNION ALL SELECT group_id, changed FROM members
				UNION ALL SELECT user_id, changed FROM memberships
			) AS changes
		) AS ordered WHERE place = 1
		ON CONFLICT (user_id) DO UPDATE SET clock = excluded.clock, own_changes = mailboxes.own_changes + 1 WHERE mailboxes.clock < excluded.clock`, `
		UPDATE mailboxes SET clock = newest FROM (
			SELECT members.user_id AS member, clock AS newest, row_number() OVER (PARTITION BY members.user_id ORDER BY clock DESC) AS place
			FROM members JOIN mailboxes AS groups ON groups.user_id = members.group_id WHERE state = 'active'
		) AS ordered WHERE user_id = member AND place = 1 AND clock < newest`, `
		UPDATE mailboxes SET group_changes = 1 WHERE user_id IN (SELECT user_id FROM memberships)`, `
		UPDATE mailboxes SET blocking = true WHERE user_id IN (SELECT owner FROM blocks)`,
	} {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("derive conversations and clocks: %w", err)
		}
	}
	return nil
}
