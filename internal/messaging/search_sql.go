package messaging

import (
	"context"
	"database/sql/driver"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/words"
)

// Words of the index that no text has: on which side of a message its owner is, and who is on the other. A
// group is the recipient of each.
const (
	receivedWord = "\x01"
	sentWord     = "\x02"
	peerWord     = "\x03" // the peer follows
)

// indexWords are the words that a message with a text has in the index of an owner.
func indexWords(owner string, m *Message, text string) []string {
	list := words.Of(text)
	if m.Recipient == owner {
		list = append(list, receivedWord, peerWord+m.Sender)
	}
	if m.Sender == owner {
		list = append(list, sentWord, peerWord+m.Recipient)
	}
	return list
}

// selectMailbox returns the messages that a user has sent to users or received from them.
func selectMailbox(ctx context.Context, q sqlx.QueryerContext, e engine, user string, w Window, bounds idRange) (Page, error) {
	role := func(column string) string {
		return fmt.Sprintf("SELECT %s FROM messages WHERE %s AND deleted = false AND id >= $2 AND id < $3", messages.Columns(), inMailbox(column, "$1"))
	}
	return selectPage(ctx, q, w.Limit, e.merged(role("recipient"), role("sender"), "ORDER BY id "+w.direction()+" LIMIT $4"),
		user, bounds.low, bounds.high, w.Limit+1)
}

// selectSources returns the groups of a user that have messages in a range that the user may see.
func selectSources(ctx context.Context, q sqlx.QueryerContext, user string, bounds idRange) (sources []*source, err error) {
	var rows []struct {
		Group       string `db:"group_id"`
		VisibleFrom ID     `db:"visible_from"`
		Newest      *ID
	}
	err = sqlx.SelectContext(ctx, q, &rows, `
		SELECT group_id, visible_from, (
		    SELECT id FROM messages WHERE recipient = group_id AND deleted = false AND id < $2 ORDER BY id DESC LIMIT 1) AS newest
		FROM memberships WHERE user_id = $1 AND state = 'active'`, user, bounds.high)
	if err != nil {
		return nil, fmt.Errorf("select groups to search: %w", err)
	}
	for _, row := range rows {
		low := larger(row.VisibleFrom, bounds.low)
		if row.Newest != nil && row.Newest.Compare(low) >= 0 {
			sources = append(sources, &source{owner: row.Group, rest: idRange{low, row.Newest.Successor()}})
		}
	}
	return sources, nil
}

// selectByIDs returns messages with some ids, by id, of those that are deleted or not, as a condition says.
func selectByIDs(ctx context.Context, q sqlx.QueryerContext, e engine, deleted string, ids []ID) (map[ID]*Message, error) {
	if len(ids) == 0 {
		return nil, nil //nolint:nilnil // an empty map
	}
	from, args := e.withIDs(deleted, ids)
	byID := make(map[ID]*Message, len(ids))
	err := db.Each(ctx, q, func(row []driver.Value) (enough bool, err error) {
		giveWay(ctx, q)
		m := new(Message)
		if err := setRow(messages.Pointers(m), row); err != nil {
			return false, err
		}
		byID[m.ID] = m
		return false, nil
	}, "SELECT "+messages.Columns()+" "+from, args...)
	if err != nil {
		return nil, fmt.Errorf("select messages by id: %w", err)
	}
	return byID, nil
}
