package messaging

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/roster"
)

// saveMembers inserts or replaces both rows of memberships. That a user has muted or hidden the conversation ends with
// the membership.
func saveMembers(ctx context.Context, tx *sqlx.Tx, list []*roster.Membership) error {
	const shared = ` DO UPDATE SET role = excluded.role, state = excluded.state, since = excluded.since,
		visible_from = excluded.visible_from, changed = excluded.changed`
	members, args := roster.MemberTable.Insert(list...)
	if _, err := tx.ExecContext(ctx, tx.Rebind(members+` ON CONFLICT (group_id, user_id)`+shared), args...); err != nil {
		return fmt.Errorf("save members: %w", err)
	}
	memberships, args := roster.MembershipTable.Insert(list...)
	if _, err := tx.ExecContext(ctx, tx.Rebind(memberships+` ON CONFLICT (user_id, group_id)`+shared+`,
		muted_until = CASE WHEN excluded.state = 'active' THEN memberships.muted_until END,
		hidden = CASE WHEN excluded.state = 'active' THEN memberships.hidden END`), args...); err != nil {
		return fmt.Errorf("save memberships: %w", err)
	}
	return nil
}

// setMemberCount sets the number of members of a group, whose row must be locked, after a change of who they are, or of
// their roles. The new version tells every server that the members it remembers are not those any more.
func setMemberCount(ctx context.Context, tx *sqlx.Tx, address string, count int) error {
	_, err := tx.ExecContext(ctx, `UPDATE groups SET member_count = $1, version = $2 WHERE group_id = $3`, count, roster.NewVersion(), address)
	if err != nil {
		return fmt.Errorf("count members: %w", err)
	}
	return nil
}

// countGroups returns in how many groups each user is.
func countGroups(ctx context.Context, tx *sqlx.Tx, users []string) (map[string]int, error) {
	var rows []struct {
		User   string `db:"user_id"`
		Groups int    `db:"groups"`
	}
	err := tx.SelectContext(ctx, &rows, tx.Rebind(`
		SELECT user_id, count(*) AS groups FROM memberships
		WHERE state = 'active' AND user_id IN (`+db.RowsOf(len(users), "?")+`) GROUP BY user_id`), db.Args(users)...)
	if err != nil {
		return nil, fmt.Errorf("count groups: %w", err)
	}
	counts := make(map[string]int, len(rows))
	for _, row := range rows {
		counts[row.User] = row.Groups
	}
	return counts, nil
}

// selectBlockers returns which of some users have blocked a peer.
func selectBlockers(ctx context.Context, tx *sqlx.Tx, users []string, peer string) (map[string]bool, error) {
	var blockers []string
	err := tx.SelectContext(ctx, &blockers, tx.Rebind(`
		SELECT owner FROM blocks WHERE peer = ? AND owner IN (`+db.RowsOf(len(users), "?")+`)`), append([]any{peer}, db.Args(users)...)...)
	if err != nil {
		return nil, fmt.Errorf("select blocks of members to add: %w", err)
	}
	found := make(map[string]bool, len(blockers))
	for _, user := range blockers {
		found[user] = true
	}
	return found, nil
}

// selectMembersAfter returns active members of a group whose ids are greater than after.
func selectMembersAfter(ctx context.Context, q sqlx.QueryerContext, address, after string, limit int) ([]roster.Membership, error) {
	found, err := roster.MemberTable.Select(ctx, q, `
		SELECT `+roster.MemberTable.Columns()+` FROM members
		WHERE group_id = $1 AND state = 'active' AND user_id > $2 ORDER BY user_id LIMIT $3`, address, after, limit)
	if err != nil {
		return nil, fmt.Errorf("select members: %w", err)
	}
	return found, nil
}
