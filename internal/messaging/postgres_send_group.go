package messaging

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/mailbox"
	"github.com/message-service/message-service/internal/table"
)

// storeInGroups is a whole batch of sends to groups in one statement. It locks the groups, in the order of their
// addresses. If each has the version that is expected of it, and no key is taken, it locks and stamps the mailboxes that the
// stamps name, in their order. Then it stores the messages, unless a mailbox is missing, and except those to groups in which one was
// ahead of the ids, or whose sender is being erased, and sets the last messages of the groups.
//
// The versions, clocks and flags are those of the locked rows, and not of the statement's snapshot. The memberships are of the
// snapshot, which is not older than the versions that are expected.
var storeInGroups = `
	WITH drafts AS (
		SELECT * FROM unnest(` + arrayParameters(2) + `) AS draft (` + Messages.Columns() + `)
	), addressed AS (
		SELECT group_id, version FROM groups WHERE deleted = false AND group_id = ANY ($12::text[]) ORDER BY group_id FOR NO KEY UPDATE
	), unchanged AS (
		SELECT FROM addressed WHERE (group_id, version) IN (SELECT * FROM unnest($12::text[], $13::bigint[]))
		HAVING count(*) = cardinality($12::text[])
	), taken AS (
		SELECT FROM drafts CROSS JOIN LATERAL (
			SELECT FROM messages WHERE recipient = drafts.recipient AND sender = drafts.sender AND key_hash = drafts.key_hash LIMIT 1
		) AS holder
	), stamped AS (
		SELECT * FROM stamp_mailboxes((SELECT $14::text[] FROM unchanged WHERE NOT EXISTS (SELECT FROM taken)), $15::uuid[], $16::bigint[], $1::uuid)
	), ahead AS (
		SELECT unnest(ahead) AS user_id FROM stamped
	), behind AS (
		SELECT user_id AS group_id FROM ahead
		UNION ALL SELECT membership.group_id FROM ahead CROSS JOIN LATERAL (
			SELECT group_id FROM memberships WHERE user_id = ahead.user_id AND state = 'active' AND group_id = ANY ($12::text[]) OFFSET 0
		) AS membership
	), stored AS (
		INSERT INTO messages (` + Messages.Columns() + `) SELECT ` + Messages.Of("drafts") + ` FROM drafts
		WHERE (SELECT stamped FROM stamped) = cardinality($14::text[]) AND recipient NOT IN (SELECT group_id FROM behind)
			AND sender NOT IN (SELECT unnest(closed) FROM stamped)` + unlessTaken + `
		RETURNING recipient, id
	), touched AS (
		UPDATE groups SET last_message_id = newest.id
		FROM (SELECT DISTINCT ON (recipient) recipient, id FROM stored ORDER BY recipient, id DESC) AS newest WHERE group_id = newest.recipient
	)
	SELECT id, false FROM stored UNION ALL (SELECT $1, true FROM ahead LIMIT 1)`

func (p *postgres) storeInGroups(
	ctx context.Context, list []*StoredMessage, versions map[string]int64, stamps []mailbox.Stamp,
) (stored []ID, ahead bool, err error) {
	if p.noGroups.Load() {
		return nil, false, nil
	}
	groups := slices.Sorted(maps.Keys(versions))
	numbers := make([]int64, len(groups))
	for i, group := range groups {
		numbers[i] = versions[group]
	}
	owners, clocks, _, changes, _ := mailbox.Arrays(stamps)
	args := append([]any{list[0].ID}, arraysOf(list)...)
	args = append(args, db.Array(groups), db.Array(numbers), owners, clocks, changes)
	err = p.db.Statement(ctx, mailbox.WriteTimeout, func(ctx context.Context, q sqlx.QueryerContext) error {
		return table.EachRow(ctx, q, func(rows *sqlx.Rows) (enough bool, err error) {
			var id ID
			if err := rows.Scan(&id, &ahead); err != nil {
				return false, err
			}
			if !ahead {
				stored = append(stored, id)
			}
			return false, nil
		}, storeInGroups, args...)
	})
	if err == nil || errors.Is(err, db.ErrUnavailable) || db.IsLost(err) {
		return stored, ahead, err
	}
	p.noGroups.Store(db.IsUnsupported(err))
	return nil, false, nil // the path of the rules finds the message at fault
}
