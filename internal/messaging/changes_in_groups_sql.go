package messaging

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/mailbox"
	"github.com/message-service/message-service/internal/roster"
	"github.com/message-service/message-service/internal/table"
)

// groupPlace is where to read the changes of a group.
type groupPlace struct {
	group       string
	after       ID
	visibleFrom ID // changes of messages before it are left out
	first       ID // there are none before it
	limit       int
}

// maxPlaces is the most groups of a user that a page of their feed reads.
const maxPlaces = 100

// groupPlaces writes the statement that finds the groups of a user in which something has changed, those
// first whose first change is the oldest. It reads a row a membership, and of the groups that have
// changed the first position of each kind. The subqueries leave the planner one way to do it.
func groupPlaces(user, after, none, least string) string {
	position := func(column, of string) string {
		return fmt.Sprintf("coalesce((SELECT %[1]s FROM %[2]s AND %[1]s > mine.low ORDER BY %[1]s LIMIT 1), %[3]s)", column, of, none)
	}
	return fmt.Sprintf(`
		SELECT group_id, low, visible_from, %s AS first
		FROM (
			SELECT group_id, visible_from, CASE WHEN since > %[2]s THEN since ELSE %[2]s END AS low
			FROM memberships WHERE user_id = %[3]s AND state = 'active'
		) AS mine
		WHERE (SELECT clock FROM mailboxes WHERE user_id = mine.group_id) > low
		ORDER BY first LIMIT %[4]d`,
		least+"("+strings.Join([]string{
			position("id", "messages WHERE recipient = mine.group_id AND deleted = false"),
			position("changed", "messages WHERE recipient = mine.group_id AND changed IS NOT NULL"),
			position("changed", "members WHERE group_id = mine.group_id"),
			position("changed", "groups WHERE group_id = mine.group_id"),
		}, ", ")+")", after, user, maxPlaces)
}

// selectGroupPlaces returns where to read the changes of a user's groups after a cursor and up to another.
func (s *feedStatements) selectGroupPlaces(ctx context.Context, q sqlx.QueryerContext, user string, after, upTo ID) (places []groupPlace, err error) {
	err = table.EachRow(ctx, q, func(rows *sqlx.Rows) (enough bool, err error) {
		var p groupPlace
		if err := rows.Scan(&p.group, &p.after, &p.visibleFrom, &p.first); err != nil || p.first.Compare(upTo) > 0 {
			return true, err
		}
		places = append(places, p)
		return false, nil
	}, s.groups, user, after, mailbox.LastID)
	if err != nil {
		return nil, fmt.Errorf("select groups with changes: %w", err)
	}
	return places, nil
}

// groupPosition is a position in the feed of a group, of its place by number. It may be empty: it has been
// looked at.
type groupPosition struct {
	place  int
	kind   rowKind
	cursor ID
	id     ID     // of a message; the zero id if the position is empty
	group  string // set by addPlaces
	user   string // of a member
}

// positionsIn writes the statement that finds the first positions of each kind in a group. Edited messages
// are later in the feed, and so are empty in the order of ids, as in [changesOf].
func positionsIn(group, after, visibleFrom, upTo, limit string) string {
	arm := func(kind rowKind, cursor, id, user, from string) string {
		return fmt.Sprintf("SELECT %d AS kind, %s AS cursor, %s AS id, %s AS user_id FROM %s", kind, cursor, id, user, from) +
			fmt.Sprintf(" AND %s > %s AND %[1]s <= %[3]s ORDER BY cursor LIMIT %[4]s", cursor, after, upTo, limit)
	}
	return db.UnionAll(
		arm(messageRow, "id", "CASE WHEN changed IS NULL THEN id END", "''", "messages WHERE recipient = "+group+" AND deleted = false"),
		arm(changedRow, "changed", "CASE WHEN id >= "+visibleFrom+" THEN id END", "''", "messages WHERE recipient = "+group+" AND changed IS NOT NULL"),
		arm(memberRow, "changed", "changed", "user_id", "members WHERE group_id = "+group),
		arm(groupRow, "changed", "changed", "''", "groups WHERE group_id = "+group),
	)
}

// appendPositions appends the positions that a statement selects.
func appendPositions(ctx context.Context, q sqlx.QueryerContext, positions *[]groupPosition, statement string, args ...any) error {
	err := table.EachRow(ctx, q, func(rows *sqlx.Rows) (enough bool, err error) {
		var p groupPosition
		err = rows.Scan(&p.place, &p.kind, &p.cursor, &p.id, &p.user)
		*positions = append(*positions, p)
		return false, err
	}, statement, args...)
	if err != nil {
		return fmt.Errorf("select positions in groups: %w", err)
	}
	return nil
}

// selectChangedMemberships returns a user's memberships that have changed, ended ones too.
func selectChangedMemberships(ctx context.Context, q sqlx.QueryerContext, f feedQuery, upTo ID) ([]roster.Membership, error) {
	changed, err := roster.MembershipTable.Select(ctx, q, `
		SELECT `+roster.MembershipTable.Columns()+` FROM memberships
		WHERE user_id = $1 AND changed > $2 AND changed <= $3 ORDER BY changed LIMIT $4`, f.user, f.after, upTo, f.limit.rows())
	if err != nil {
		return nil, fmt.Errorf("select changed memberships: %w", err)
	}
	return changed, nil
}

// keysMost is the most keys of one statement: with more, Postgres may prefer to read a whole small table.
const keysMost = 100

// selectKeys returns the rows of a table whose key, an expression or a row of them, is among some. The parameters are
// those of one key.
func selectKeys[R any](ctx context.Context, q sqlx.QueryerContext, e engine, t *table.Table[R], key, parameters string, keys []any) (rows []R, err error) {
	width := strings.Count(parameters, "?")
	for some := range slices.Chunk(keys, keysMost*width) {
		statement := "SELECT " + t.Columns() + " FROM " + t.Name() + " WHERE " + key + " IN (" + db.RowsOf(len(some)/width, parameters) + ")"
		found, err := t.Select(ctx, q, e.rebind(statement), some...)
		if err != nil {
			return nil, fmt.Errorf("select %s of changes: %w", t.Name(), err)
		}
		rows = append(rows, found...)
	}
	return rows, nil
}

// selectGroupsOf returns the groups that users are in, by address, and the first id of messages that each may see.
func selectGroupsOf(ctx context.Context, q sqlx.QueryerContext, e engine, users []string) (map[string]map[string]ID, error) {
	found := make(map[string]map[string]ID, len(users))
	for some := range slices.Chunk(users, db.MaxPreparedParameters) {
		for _, user := range some {
			found[user] = map[string]ID{}
		}
		err := table.EachRow(ctx, q, func(rows *sqlx.Rows) (enough bool, err error) {
			var user, group string
			var visibleFrom ID
			if err := rows.Scan(&user, &group, &visibleFrom); err != nil {
				return false, err
			}
			found[user][group] = visibleFrom
			return false, nil
		}, e.rebind(`SELECT user_id, group_id, visible_from FROM memberships WHERE state = 'active' AND user_id IN (`+db.RowsOf(len(some), "?")+`)`), db.Args(some)...)
		if err != nil {
			return nil, fmt.Errorf("select memberships: %w", err)
		}
	}
	return found, nil
}
