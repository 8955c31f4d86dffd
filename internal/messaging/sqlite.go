package messaging

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
)

// sqlite is SQLite, which runs in the process: a statement costs no round trip.
type sqlite struct {
	sqliteDialect
	feedStatements

	positions string // the statement of selectGroupPositions
}

func newSQLite(*db.DB) engine {
	return &sqlite{
		feedStatements: feedStatements{changesOfUser("$1", "$2", db.SQLite.Server()), groupPlaces("$1", "$2", "$3", "min")},
		positions:      "SELECT $6 AS place, found.* FROM (" + positionsIn("$1", "$2", "$3", "$4", "$5") + ") AS found",
	}
}

// fastPath is nil: without round trips, the path of the rules is as fast.
func (*sqlite) fastPath() fastPath { return nil }

// pageBatches is nil, since there are no round trips.
func (*sqlite) pageBatches(*slog.Logger) *pageBatches { return nil }

// selectChangesOf reads one feed after the other: SQLite has no lateral joins.
func (s *sqlite) selectChangesOf(ctx context.Context, q sqlx.QueryerContext, after map[string]ID, limit feedLimit) (map[string]ChangePage, error) {
	pages := make(map[string]ChangePage, len(after))
	for _, user := range slices.Sorted(maps.Keys(after)) {
		page, err := s.selectChanges(ctx, q, feedQuery{user, after[user], limit})
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

// sqliteDialect is that of SQLite.
type sqliteDialect struct{}

func (sqliteDialect) rebind(statement string) string { return statement }

func (sqliteDialect) server() string { return db.SQLite.Server() }

// between needs no more: the statistics of the indexes are fixed.
func (sqliteDialect) between(recipient, sender string) string {
	return "recipient = " + recipient + " AND sender = " + sender
}

// merged needs no more: SQLite merges two sorted selects as it reads them.
func (sqliteDialect) merged(a, b, order string) string { return a + " UNION ALL " + b + " " + order }

// lookup needs no more: SQLite joins by lookups only.
func (sqliteDialect) lookup(table, alias, condition string) string {
	return "LEFT JOIN " + table + " AS " + alias + " ON " + condition
}

func (sqliteDialect) withIDs(deleted string, ids []ID) (from string, args []any) {
	for _, id := range ids {
		args = append(args, id)
	}
	return "FROM messages WHERE " + deleted + " AND " + EveryID + " IN (" + db.RowsOf(len(ids), "?") + ")", args
}

func (sqliteDialect) keysOf(list []*StoredMessage) (rows string, args []any) {
	for _, m := range list {
		args = append(args, m.Recipient, m.Sender, m.Hash)
	}
	return "VALUES " + db.RowsOf(len(list), "(?,?,?)"), args
}

// insertMessages counts: SQLite tells how many rows it has inserted at less cost than which.
func (sqliteDialect) insertMessages(ctx context.Context, tx *sqlx.Tx, list []*StoredMessage) ([]ID, error) {
	inserted := int64(0)
	ctx, batches := db.Batches(ctx, tx.DriverName(), list, len(list))
	for some := range batches {
		statement, args := Messages.Insert(some...)
		result, err := tx.ExecContext(ctx, statement+unlessTaken, args...)
		if err != nil {
			return nil, fmt.Errorf("insert messages: %w", err)
		}
		n, err := result.RowsAffected()
		if err != nil {
			return nil, fmt.Errorf("count inserted messages: %w", err)
		}
		inserted += n
	}
	ids := make([]ID, len(list))
	for i, m := range list {
		ids[i] = m.ID
	}
	if int(inserted) == len(list) {
		return ids, nil
	}
	stored, err := selectIdentities(ctx, tx, ids)
	return slices.Collect(maps.Keys(stored)), err
}
