package messaging

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/roster"
	"github.com/message-service/message-service/internal/table"
)

// selectGroup returns a group, deleted or not, or nil.
func selectGroup(ctx context.Context, q sqlx.QueryerContext, address string) (*roster.Group, error) {
	return oneGroup(ctx, q, `SELECT `+roster.GroupTable.Columns()+` FROM groups WHERE group_id = $1`, address)
}

// selectGroupFor returns a group that is not deleted, or nil. For a user one of which they are not a member
// is none.
func selectGroupFor(ctx context.Context, q sqlx.QueryerContext, caller Caller, address string) (*roster.Group, error) {
	statement, args := `SELECT `+roster.GroupTable.Columns()+` FROM groups WHERE group_id = $1 AND deleted = false`, []any{address}
	if !caller.service {
		statement += ` AND EXISTS (SELECT 1 FROM members WHERE group_id = $1 AND user_id = $2 AND state = 'active')`
		args = append(args, caller.user)
	}
	return oneGroup(ctx, q, statement, args...)
}

func oneGroup(ctx context.Context, q sqlx.QueryerContext, statement string, args ...any) (*roster.Group, error) {
	g, err := roster.GroupTable.First(ctx, q, statement, args...)
	if err != nil {
		return nil, fmt.Errorf("select group: %w", err)
	}
	return g, nil
}

// selectRole returns the role of a user in a group, or none.
func selectRole(ctx context.Context, q sqlx.QueryerContext, address, user string) (role roster.Role, err error) {
	err = sqlx.GetContext(ctx, q, &role, `
		SELECT role FROM members AS m JOIN groups AS g ON g.group_id = m.group_id
		WHERE m.group_id = $1 AND m.user_id = $2 AND m.state = 'active' AND g.deleted = false`, address, user)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("select role: %w", err)
	}
	return role, nil
}

// insertGroup stores a group, and reports whether it was not there yet.
func insertGroup(ctx context.Context, tx *sqlx.Tx, g *roster.Group) (isNew bool, err error) {
	statement, args := roster.GroupTable.Insert(g)
	result, err := tx.ExecContext(ctx, tx.Rebind(statement+" ON CONFLICT (group_id) DO NOTHING"), args...)
	if err != nil {
		return false, fmt.Errorf("insert group: %w", err)
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// updateGroup replaces what users give a group.
func updateGroup(ctx context.Context, tx *sqlx.Tx, g *roster.Group) error {
	_, err := tx.ExecContext(ctx, `UPDATE groups SET name = $1, metadata = $2, history = $3, changed = $4 WHERE group_id = $5`,
		g.Name, table.OptionalJSON(g.Metadata), g.History, g.Changed, g.Address)
	if err != nil {
		return fmt.Errorf("update group: %w", err)
	}
	return nil
}

// resetLastInGroup replaces the last message of a group, whose row must be locked, by the one before if it is one of those
// that were deleted.
func resetLastInGroup(ctx context.Context, tx *sqlx.Tx, group string, deleted []Message) error {
	args := []any{group, group}
	for _, m := range deleted {
		args = append(args, m.ID)
	}
	_, err := tx.ExecContext(ctx, tx.Rebind(`
		UPDATE groups SET last_message_id = (SELECT id FROM messages WHERE recipient = ? AND messages.deleted = false ORDER BY id DESC LIMIT 1)
		WHERE group_id = ? AND last_message_id IN (`+db.RowsOf(len(deleted), "?")+`)`), args...)
	if err != nil {
		return fmt.Errorf("reset the last message of a group: %w", err)
	}
	return nil
}
