package messaging

import (
	"context"
	"fmt"

	"github.com/jmoiron/sqlx"
)

// selectStored returns messages of everyone, deleted ones too, after an id and up to
// another, in the order of their ids: two ranges of one index.
func selectStored(ctx context.Context, q sqlx.QueryerContext, after, upTo ID, limit int) ([]StoredMessage, error) {
	half := func(deleted string) string {
		return fmt.Sprintf("SELECT %s FROM messages WHERE deleted = %s AND %[3]s > $1 AND %[3]s <= $2 ORDER BY %[3]s LIMIT $3",
			storedColumns, deleted, everyID)
	}
	return selectBoth(ctx, q, Window{After: &after, Limit: limit - 1}, half("false"), half("true"),
		func(m StoredMessage) ID { return m.ID }, after, upTo, limit)
}

// selectNewest returns the id of the newest message, or the zero one.
func selectNewest(ctx context.Context, q sqlx.QueryerContext) (ID, error) {
	half := func(deleted string) string {
		return fmt.Sprintf("SELECT id FROM messages WHERE deleted = %s ORDER BY %s DESC LIMIT $1", deleted, everyID)
	}
	return selectNewestID(ctx, q, half("false"), half("true"), 1)
}

// selectNewestOfPair returns the id of the newest message of two users up to an id that is
// not deleted, or the zero one.
func selectNewestOfPair(ctx context.Context, q sqlx.QueryerContext, a, b string, upTo ID) (ID, error) {
	direction := func(recipient, sender string) string {
		return fmt.Sprintf(`
			SELECT id FROM messages WHERE recipient = %s AND sender = %s AND deleted = false AND id <= $3
			ORDER BY id DESC LIMIT $4`, recipient, sender)
	}
	return selectNewestID(ctx, q, direction("$1", "$2"), direction("$2", "$1"), a, b, upTo, 1)
}

func selectNewestID(ctx context.Context, q sqlx.QueryerContext, one, other string, args ...any) (ID, error) {
	ids, err := selectBoth(ctx, q, Window{}, one, other, func(id ID) ID { return id }, args...)
	if err != nil || len(ids) == 0 {
		return ID{}, err
	}
	return ids[0], nil
}

// selectStoredMarkers returns the read markers of everyone after one.
func selectStoredMarkers(ctx context.Context, q sqlx.QueryerContext, after ReadMarker, limit int) (markers []ReadMarker, err error) {
	err = sqlx.SelectContext(ctx, q, &markers, `
		SELECT owner, peer, message_id, changed FROM read_markers
		WHERE (owner, peer) > ($1, $2) ORDER BY owner, peer LIMIT $3`, after.Owner, after.Peer, limit)
	return markers, err
}

// selectStoredBlocks returns the blocks of everyone after one.
func selectStoredBlocks(ctx context.Context, q sqlx.QueryerContext, after Block, limit int) (blocks []Block, err error) {
	err = sqlx.SelectContext(ctx, q, &blocks, `
		SELECT owner, peer, changed FROM blocks
		WHERE (owner, peer) > ($1, $2) ORDER BY owner, peer LIMIT $3`, after.Owner, after.Peer, limit)
	return blocks, err
}
