package messaging

import (
	"context"
	"fmt"
	"strconv"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/table"
)

// changesOf writes the statement that reads a feed: the first changes after a cursor, where the
// scan stopped, and the clock. One statement sees one snapshot, so everything up to that clock is
// complete. It finds the first positions of each kind in one range of one index, merges
// them, and reads only the messages of the positions that remain.
//
// Unedited messages are found by a bounded scan in the order of ids. Edited and deleted ones are
// later in the feed: without that bound, each page would scan all of them again.
func changesOf(user, after, server string, limit feedLimit) string {
	rows, walk := strconv.Itoa(limit.rows()), strconv.Itoa(limit.scan())
	place := func(kind rowKind, columns, from string) string {
		return fmt.Sprintf("SELECT %d AS kind, %s %s", kind, columns, from)
	}
	live := func(role string) string {
		return fmt.Sprintf("FROM messages WHERE %s AND id > %s AND deleted = false ORDER BY id LIMIT ", inMailbox(role, user), after)
	}
	sent := func(role string) string {
		return place(messageRow, "id AS cursor, id, sender, recipient, false AS deleted", fmt.Sprintf(
			"FROM (SELECT id, sender, recipient, changed %s%s) AS walked WHERE changed IS NULL ORDER BY id LIMIT %s", live(role), walk, rows))
	}
	scanned := func(role string) string {
		return place(scannedRow, fmt.Sprintf("id AS cursor, id, %[1]s AS sender, %[1]s AS recipient, false AS deleted", role), live(role)+"1 OFFSET "+strconv.Itoa(limit.scan()-1))
	}
	changed := func(role string) string {
		return place(messageRow, "changed AS cursor, id, sender, recipient, deleted", fmt.Sprintf(
			"FROM messages WHERE %s AND changed > %s AND changed IS NOT NULL ORDER BY changed LIMIT %s", inMailbox(role, user), after, rows))
	}
	marker := func(role string) string { // by an index of that expression; see EveryID
		return place(markerRow, "changed AS cursor, message_id AS id, owner AS sender, peer AS recipient, false AS deleted", fmt.Sprintf(
			"FROM read_markers WHERE coalesce(%[1]s, %[1]s) = %[2]s AND changed > %[3]s ORDER BY changed LIMIT %[4]s", role, user, after, rows))
	}
	arms := []string{
		sent("recipient"), scanned("recipient"),
		sent("sender"), scanned("sender"),
		changed("recipient"), changed("sender"),
		marker("owner"), marker("peer"),
		place(clockRow, "clock AS cursor, clock AS id, CAST(own_changes AS text) AS sender, group_changes || ' ' || "+server+" AS recipient, false AS deleted",
			"FROM mailboxes WHERE user_id = "+user),
	}
	inOrder := fmt.Sprintf("ORDER BY kind >= %d, cursor", messageRow)
	columns := messages.Each(func(c table.Column[Message]) string {
		switch c.Name {
		case "id", "sender", "recipient", "deleted":
			return "place." + c.Name
		}
		return c.OrEmpty("m." + c.Name)
	})
	return fmt.Sprintf(`
		SELECT kind, cursor, %[5]s
		FROM (SELECT * FROM (%[1]s) AS places %[2]s LIMIT %[3]d) AS place
		LEFT JOIN messages AS m ON kind = %[4]d AND m.recipient = place.recipient AND m.deleted = place.deleted AND m.id = place.id
		%[2]s`, db.UnionAll(arms...), inOrder, limit.all(), messageRow, columns)
}

// changesOfUser returns the statements that read the feed of one user after a cursor, by [feedLimit.rows].
func changesOfUser(user, after, server string) map[int]string {
	statements := map[int]string{}
	for _, size := range feedSizes {
		limit := feedLimit{changes: size}
		statements[limit.rows()] = "SELECT $1 AS mailbox, changes.* FROM (" + changesOf(user, after, server, limit) + ") AS changes"
	}
	return statements
}

// feedStatements are the statements that read the feed of one user.
type feedStatements struct {
	changes map[int]string // see changesOfUser
	groups  string         // see groupPlaces
}

// selectChanges returns a page of a user's feed, without their groups.
func (s *feedStatements) selectChanges(ctx context.Context, q sqlx.QueryerContext, f feedQuery) (ChangePage, error) {
	page := feedPage{limit: f.limit}
	err := eachChange(ctx, q, page.add, s.changes[f.limit.rows()], f.user, f.after)
	return page.end(), err
}

// eachChange calls fn with each row of a statement, until fn reports that the page is full. It
// reuses the row.
func eachChange(ctx context.Context, q sqlx.QueryerContext, fn func(*changeRow) (full bool, err error), query string, args ...any) error {
	var r changeRow
	pointers := append([]any{&r.mailbox, &r.kind, &r.cursor}, messages.Pointers(&r.Message)...)
	err := table.EachRow(ctx, q, func(rows *sqlx.Rows) (full bool, err error) {
		if err := rows.Scan(pointers...); err != nil {
			return false, err
		}
		return fn(&r)
	}, query, args...)
	if err != nil {
		return fmt.Errorf("select changes: %w", err)
	}
	return nil
}

// selectPositions returns the ends of the feeds of the users who have a mailbox.
func selectPositions(ctx context.Context, q sqlx.QueryerContext, e engine, users []string) (map[string]Position, error) {
	positions := make(map[string]Position, len(users))
	statement := "SELECT user_id, clock, own_changes, group_changes, " + e.server() + " FROM mailboxes WHERE user_id IN (" + db.RowsOf(len(users), "?") + ")"
	err := eachPosition(ctx, q, func(user string, end Position) { positions[user] = end }, e.rebind(statement), db.Args(users)...)
	if err != nil {
		return nil, fmt.Errorf("select the ends of feeds: %w", err)
	}
	return positions, nil
}

// eachPosition calls fn with each row of a statement that selects users and the ends of their feeds. The hub reads those of
// all streams every two seconds, so the rows share what they are read into.
func eachPosition(ctx context.Context, q sqlx.QueryerContext, fn func(user string, end Position), statement string, args ...any) error {
	var user string
	var end Position
	row := []any{&user, &end.Clock, &end.Own, &end.Groups, &end.Server}
	return table.EachRow(ctx, q, func(rows *sqlx.Rows) (enough bool, err error) {
		if err = rows.Scan(row...); err == nil {
			fn(user, end)
		}
		return false, err
	}, statement, args...)
}
