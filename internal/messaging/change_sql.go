package messaging

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
)

// changeRow is a change, or the clock of a mailbox. A read marker is in the columns
// of a message: its owner is the sender, its peer the recipient.
type changeRow struct {
	Mailbox string `db:"mailbox"`
	Kind    string `db:"kind"`
	Cursor  ID     `db:"cursor"`
	Message
}

// The kinds of rows.
const (
	messageRow = "message"
	markerRow  = "marker"
	clockRow   = "clock"
	walkedRow  = "walked" // how far changesOf has looked, if not to the end
)

func (r *changeRow) toChange() Change {
	if r.Kind == markerRow {
		return Change{Cursor: r.Cursor, ReadMarker: &ReadMarker{Owner: r.Sender, Peer: r.Recipient, MessageID: r.ID, Changed: r.Cursor}}
	}
	return Change{Cursor: r.Cursor, Message: &r.Message}
}

// changesOf writes the statement that reads a feed: the first changes after a cursor,
// so many of each kind, from one range of one index each, how far it has looked, and the
// clock. It is one statement, and so of one moment: what is not above that clock is complete.
//
// Messages that are there as they were sent are looked for among twice as many, in the
// order of their ids. The others are elsewhere in the feed: without that limit, whoever
// reads of many that were edited or deleted would walk over them again for each page.
func changesOf(user, after, limit string) string {
	sent := func(role string) string {
		return fmt.Sprintf(`
			SELECT '%s' AS kind, id AS cursor, * FROM (
				SELECT %s FROM messages WHERE %s = %s AND id > %s AND deleted = false ORDER BY id LIMIT 2 * %s
			) AS walked WHERE changed IS NULL ORDER BY id LIMIT %[6]s`,
			messageRow, messageColumns, role, user, after, limit)
	}
	walked := func(role string) string {
		return bare(walkedRow, "id", fmt.Sprintf("FROM messages WHERE %s = %s AND id > %s AND deleted = false ORDER BY id LIMIT 1 OFFSET 2 * %s - 1",
			role, user, after, limit))
	}
	changed := func(role string) string {
		return fmt.Sprintf(`
			SELECT '%s' AS kind, changed AS cursor, %s FROM messages
			WHERE %s = %s AND changed > %s AND changed IS NOT NULL ORDER BY changed LIMIT %s`,
			messageRow, messageColumns, role, user, after, limit)
	}
	marker := func(role string) string { // by an index of that expression; see everyID
		return fmt.Sprintf(`
			SELECT '%s' AS kind, changed AS cursor, message_id AS id, owner AS sender, peer AS recipient, '' AS text,
			       '' AS metadata, CAST(NULL AS uuid) AS reply_to, changed, false AS deleted FROM read_markers
			WHERE coalesce(%[2]s, %[2]s) = %[3]s AND changed > %[4]s ORDER BY changed LIMIT %[5]s`, markerRow, role, user, after, limit)
	}
	arms := []string{
		sent("recipient"), walked("recipient"),
		sent("sender"), walked("sender"),
		changed("recipient"), changed("sender"),
		marker("owner"), marker("peer"),
		bare(clockRow, "clock", "FROM mailboxes WHERE user_id = "+user),
	}
	for i, arm := range arms {
		arms[i] = fmt.Sprintf("SELECT * FROM (%s) AS arm%d", arm, i)
	}
	return strings.Join(arms, " UNION ALL ")
}

// bare writes a statement for a row that is nothing but a cursor.
func bare(kind, cursor, from string) string {
	return fmt.Sprintf(`
		SELECT '%s' AS kind, %s AS cursor, %[2]s AS id, '' AS sender, '' AS recipient, '' AS text,
		       '' AS metadata, CAST(NULL AS uuid) AS reply_to, %[2]s AS changed, false AS deleted %[3]s`, kind, cursor, from)
}

// changesOfOne is the statement of one feed: of a user, after a cursor, so many.
var changesOfOne = "SELECT $1 AS mailbox, changes.* FROM (" + changesOf("$1", "$2", "$3") + ") AS changes"

// selectChanges returns a feed as changesOf reads it.
func selectChanges(ctx context.Context, q sqlx.QueryerContext, user string, after ID, limit int) ([]changeRow, error) {
	var rows []changeRow
	if err := sqlx.SelectContext(ctx, q, &rows, changesOfOne, user, after, limit); err != nil {
		return nil, fmt.Errorf("select changes: %w", err)
	}
	return rows, nil
}

// selectChangesOf returns the feeds of several users, in any order.
func selectChangesOf(ctx context.Context, q sqlx.QueryerContext, engine db.Engine, after map[string]ID, limit int) ([]changeRow, error) {
	users := slices.Sorted(maps.Keys(after))
	var rows []changeRow
	if engine == db.SQLite { // which cannot join laterally, and is asked without a round trip
		for _, user := range users {
			of, err := selectChanges(ctx, q, user, after[user], limit)
			if err != nil {
				return nil, err
			}
			rows = append(rows, of...)
		}
		return rows, nil
	}
	args := []any{limit}
	values := make([]string, len(users))
	for i, user := range users {
		args = append(args, user, after[user])
		values[i] = fmt.Sprintf("(CAST($%d AS text), CAST($%d AS uuid))", len(args)-1, len(args))
	}
	err := sqlx.SelectContext(ctx, q, &rows, `
		SELECT mailbox.user_id AS mailbox, changes.*
		FROM (VALUES `+strings.Join(values, ", ")+`) AS mailbox (user_id, after)
		CROSS JOIN LATERAL (`+changesOf("mailbox.user_id", "mailbox.after", "$1")+`) AS changes`, args...)
	if err != nil {
		return nil, fmt.Errorf("select changes of several: %w", err)
	}
	return rows, nil
}

// selectClocks returns the clocks of those of the users who have a mailbox.
func selectClocks(ctx context.Context, q sqlx.QueryerContext, engine db.Engine, users []string) (map[string]ID, error) {
	args := make([]any, len(users))
	for i, user := range users {
		args[i] = user
	}
	var rows []struct {
		UserID string `db:"user_id"`
		Clock  ID     `db:"clock"`
	}
	statement := "SELECT user_id, clock FROM mailboxes WHERE user_id IN (" + rowsOf(len(users), "?") + ")"
	if err := sqlx.SelectContext(ctx, q, &rows, sqlx.Rebind(sqlx.BindType(string(engine)), statement), args...); err != nil {
		return nil, fmt.Errorf("select clocks: %w", err)
	}
	clocks := make(map[string]ID, len(rows))
	for _, row := range rows {
		clocks[row.UserID] = row.Clock
	}
	return clocks, nil
}
