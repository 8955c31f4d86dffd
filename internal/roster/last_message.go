package roster

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/mailbox"
)

// SetLastMessages sets the newest messages of groups, whose rows must be locked. The first
// row of the values matches nothing: it gives the columns their types in Postgres.
func SetLastMessages(ctx context.Context, tx *sqlx.Tx, last map[string]mailbox.ID) error {
	if len(last) == 0 {
		return nil
	}
	args := make([]any, 0, 2*len(last))
	for _, group := range slices.Sorted(maps.Keys(last)) {
		args = append(args, group, last[group])
	}
	_, err := tx.ExecContext(ctx, tx.Rebind(`
		UPDATE groups SET last_message_id = column2
		FROM (VALUES ((SELECT group_id FROM groups LIMIT 0), (SELECT last_message_id FROM groups LIMIT 0)), `+db.RowsOf(len(last), "(?,?)")+`) AS newest
		WHERE group_id = column1`), args...)
	if err != nil {
		return fmt.Errorf("set last messages of groups: %w", err)
	}
	return nil
}
