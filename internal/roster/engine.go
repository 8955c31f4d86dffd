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

// locking are the clauses of a SELECT that lock its rows. SQLite needs none: it has one writer at a time.
var locking = map[db.Engine]string{db.Postgres: "FOR NO KEY UPDATE"}

// among is the condition that a group is one of some, and its parameters.
func (r *Rosters) among(addresses []string) (in string, args []any) {
	if r.db.Engine == db.Postgres { // the same text for any number, which it need not plan each time
		return "= ANY ($1::text[])", []any{db.Array(addresses)}
	}
	return "IN (" + db.RowsOf(len(addresses), "?") + ")", db.Args(addresses)
}

// SetLastMessages sets the newest messages of groups, whose rows must be locked.
func SetLastMessages(ctx context.Context, tx *sqlx.Tx, last map[string]mailbox.ID) error {
	if len(last) == 0 {
		return nil
	}
	groups := slices.Sorted(maps.Keys(last))
	rows, args := "VALUES "+db.RowsOf(len(last), "(?,?)"), make([]any, 0, 2*len(last))
	if tx.DriverName() == string(db.Postgres) {
		ids := make([]string, len(groups))
		for i, group := range groups {
			ids[i] = last[group].String()
		}
		rows, args = "SELECT * FROM unnest($1::text[], $2::uuid[]) AS newest (column1, column2)", []any{db.Array(groups), db.Array(ids)}
	} else {
		for _, group := range groups {
			args = append(args, group, last[group])
		}
	}
	_, err := tx.ExecContext(ctx, `UPDATE groups SET last_message_id = column2 FROM (`+rows+`) AS newest WHERE group_id = column1`, args...)
	if err != nil {
		return fmt.Errorf("set last messages of groups: %w", err)
	}
	return nil
}
