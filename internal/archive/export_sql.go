package archive

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/messaging"
	"github.com/message-service/message-service/internal/table"
)

// selectStored returns messages of everyone, deleted ones too, after an id and up to
// another, in the order of their ids: two ranges of one index.
func selectStored(ctx context.Context, q sqlx.QueryerContext, after, upTo messaging.ID, limit int) ([]messaging.StoredMessage, error) {
	half := func(deleted string) string {
		return fmt.Sprintf("SELECT %s FROM messages WHERE deleted = %s AND %[3]s > $1 AND %[3]s <= $2 ORDER BY %[3]s LIMIT $3",
			messaging.Messages.Columns(), deleted, messaging.EveryID)
	}
	return messaging.Messages.Select(ctx, q, both(half("false"), half("true"))+" ORDER BY id LIMIT $3", after, upTo, limit)
}

// selectNewest returns the id of the newest message, or the zero id.
func selectNewest(ctx context.Context, q sqlx.QueryerContext) (messaging.ID, error) {
	half := func(deleted string) string {
		return fmt.Sprintf("SELECT id FROM messages WHERE deleted = %s ORDER BY %s DESC LIMIT $1", deleted, messaging.EveryID)
	}
	return selectNewestID(ctx, q, half("false"), half("true"), 1)
}

// selectNewestOfPair returns the id of the newest message between two users, up to an id, that is
// not deleted, or the zero id.
func selectNewestOfPair(ctx context.Context, q sqlx.QueryerContext, a, b string, upTo messaging.ID) (messaging.ID, error) {
	direction := func(recipient, sender string) string {
		return fmt.Sprintf(`
			SELECT id FROM messages WHERE recipient = %s AND sender = %s AND deleted = false AND id <= $3
			ORDER BY id DESC LIMIT $4`, recipient, sender)
	}
	return selectNewestID(ctx, q, direction("$1", "$2"), direction("$2", "$1"), a, b, upTo, 1)
}

func selectNewestID(ctx context.Context, q sqlx.QueryerContext, one, other string, args ...any) (id messaging.ID, err error) {
	err = sqlx.GetContext(ctx, q, &id, both(one, other)+" ORDER BY id DESC LIMIT 1", args...)
	if errors.Is(err, sql.ErrNoRows) {
		return id, nil
	}
	return id, err
}

// both writes the union of two statements, each of which has an order and a limit of its own, so
// that any planner sorts only the rows within both limits.
func both(a, b string) string {
	return "SELECT * FROM (" + a + ") AS a UNION ALL SELECT * FROM (" + b + ") AS b"
}

// selectAfter returns the rows of all owners after that of an owner and a peer.
func selectAfter[R any](ctx context.Context, q sqlx.QueryerContext, table *table.Table[R], owner, peer string, limit int) ([]R, error) {
	return table.Select(ctx, q, `
		SELECT `+table.Columns()+` FROM `+table.Name()+`
		WHERE (owner, peer) > ($1, $2) ORDER BY owner, peer LIMIT $3`, owner, peer, limit)
}
