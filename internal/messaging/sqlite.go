package messaging

import (
	"context"
	"log/slog"
	"maps"
	"slices"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/mailbox"
)

// sqlite is SQLite, which runs in the process: a statement costs no round trip.
type sqlite struct {
	feedStatements

	positions string // the statement of selectGroupPositions
}

func newSQLite(*db.DB) engine {
	return &sqlite{
		feedStatements: feedStatements{changesOfUser("$1", "$2", db.SQLite.Server()), groupPlaces("$1", "$2", "$3", "min")},
		positions:      "SELECT $6 AS place, found.* FROM (" + positionsIn("$1", "$2", "$3", "$4", "$5") + ") AS found",
	}
}

func (*sqlite) rebind(statement string) string { return statement }

func (*sqlite) server() string { return db.SQLite.Server() }

// hasFastPath: without round trips, the path of the rules is as fast.
func (*sqlite) hasFastPath() bool { return false }

// storeBatch stores none.
func (*sqlite) storeBatch(context.Context, []*StoredMessage, []string) ([]ID, map[string]Position, error) {
	return nil, nil, nil
}

// storeInGroups stores none.
func (*sqlite) storeInGroups(context.Context, []*StoredMessage, map[string]int64, []mailbox.Stamp) ([]ID, bool, error) {
	return nil, false, nil
}

// pageBatches is nil, since there are no round trips.
func (*sqlite) pageBatches(*slog.Logger) *pageBatches { return nil }

// between needs no more: the statistics of the indexes are fixed.
func (*sqlite) between(recipient, sender string) string {
	return "recipient = " + recipient + " AND sender = " + sender
}

// merged needs no more: SQLite merges two sorted selects as it reads them.
func (*sqlite) merged(a, b, order string) string { return a + " UNION ALL " + b + " " + order }

// lookup needs no more: SQLite joins by lookups only.
func (*sqlite) lookup(table, alias, condition string) string {
	return "LEFT JOIN " + table + " AS " + alias + " ON " + condition
}

func (*sqlite) withIDs(deleted string, ids []ID) (from string, args []any) {
	for _, id := range ids {
		args = append(args, id)
	}
	return "FROM messages WHERE " + deleted + " AND " + EveryID + " IN (" + db.RowsOf(len(ids), "?") + ")", args
}

// selectChangesOf reads one feed after the other: SQLite has no lateral joins.
func (s *sqlite) selectChangesOf(ctx context.Context, q sqlx.QueryerContext, after map[string]ID, limit feedLimit) (map[string]ChangePage, error) {
	pages := make(map[string]ChangePage, len(after))
	for _, user := range slices.Sorted(maps.Keys(after)) {
		page, err := s.selectChanges(ctx, q, user, after[user], limit)
		if err != nil {
			return nil, err
		}
		if page.Next != (ID{}) {
			pages[user] = page
		}
	}
	return pages, nil
}

// selectGroupPositions reads one group after the other, as selectChangesOf does with feeds.
func (s *sqlite) selectGroupPositions(ctx context.Context, q sqlx.QueryerContext, places []groupPlace, upTo ID) (positions []groupPosition, err error) {
	for i, p := range places {
		if err := appendPositions(ctx, q, &positions, s.positions, p.group, p.after, p.visibleFrom, upTo, p.limit, i); err != nil {
			return nil, err
		}
	}
	return positions, nil
}
