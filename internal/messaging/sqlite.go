package messaging

import (
	"context"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
)

// sqlite is SQLite, which runs in the process: a statement costs no round trip.
type sqlite struct{ changes map[int]string }

func newSQLite(*db.DB, bool) engine { return &sqlite{changesOfUser("$1", "$2")} }

func (*sqlite) rebind(statement string) string { return statement }

func (*sqlite) stored(int) {}

func (*sqlite) close(context.Context) {}

// storeBatch stores none: without round trips, the path of the rules is as fast.
func (*sqlite) storeBatch(context.Context, []*StoredMessage) ([]ID, error) { return nil, nil }

// merged needs no more: SQLite merges two sorted selects as it reads them.
func (*sqlite) merged(a, b, order string) string { return a + " UNION ALL " + b + " " + order }

func (s *sqlite) selectChanges(ctx context.Context, q sqlx.QueryerContext, user string, after ID, limit feedLimit) (ChangePage, error) {
	return selectChanges(ctx, q, s.changes, user, after, limit)
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

func (*sqlite) selectMatches(ctx context.Context, q sqlx.QueryerContext, query Query, bounds idRange, words []string) (Page, error) {
	where, args := query.where(bounds)
	mailboxes := mailboxWords(query, "r%s", "s%s", func(user string) string { return strings.ToUpper(hex.EncodeToString([]byte(user))) })
	match := fmt.Sprintf(`mailboxes : ("%s") AND text : ("%s")`, strings.Join(mailboxes, `" AND "`), strings.Join(words, `" AND "`))
	args = append(args, match, query.Limit+1)
	// The range of row ids is that of the first and the last message in the window.
	edge := "(SELECT number FROM message_numbers WHERE id = (SELECT id FROM messages WHERE " + where + " ORDER BY id %s LIMIT 1))"
	statement := fmt.Sprintf(`
		SELECT %[1]s FROM message_words
		CROSS JOIN message_numbers ON number = message_words.rowid
		CROSS JOIN messages USING (recipient, id)
		WHERE message_words MATCH $%[4]d
		AND message_words.rowid BETWEEN `+fmt.Sprintf(edge, "ASC")+` AND `+fmt.Sprintf(edge, "DESC")+`
		ORDER BY message_words.rowid %[3]s LIMIT $%[5]d`,
		messages.of("messages"), where, query.direction(), len(args)-1, len(args))
	return selectPage(ctx, q, query.Limit, statement, args...)
}
