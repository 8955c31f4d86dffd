package messaging

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"
	"unicode"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
)

// Each engine searches by its own means: Postgres by a GIN index over tsvectors,
// SQLite by FTS5. In both, a mailbox is a word of the index, so that a search for
// words in a mailbox reads no more than the shortest list of messages that the index
// has for any of them, whatever goes on in other mailboxes.

// selectMatches is selectMessages for a query with words. The query has a recipient
// or a sender.
func selectMatches(ctx context.Context, q sqlx.QueryerContext, engine db.Engine, query Query, bounds idRange) (Page, error) {
	words := strings.FieldsFunc(query.Words, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r)
	})
	if len(words) == 0 {
		return Page{}, nil
	}
	if engine == db.SQLite {
		return selectMatchesSQLite(ctx, q, query, bounds, words)
	}
	return selectMatchesPostgres(db.Unprepared(ctx), q, query, bounds, words) // the plan depends on how rare the words are
}

// textWords are the words of a text, as the index of Postgres has them.
var textWords = func() string {
	text := "text"
	for _, mark := range "-./@_<&+~:" {
		text = fmt.Sprintf("replace(%s, '%c', ' ')", text, mark)
	}
	return "to_tsvector('simple', " + text + ")"
}()

// searchWalk is how many of the newest messages are looked at one by one before the
// index is asked: most words that fill a page are found there sooner.
const searchWalk = 1000

func selectMatchesPostgres(ctx context.Context, q sqlx.QueryerContext, query Query, bounds idRange, words []string) (Page, error) {
	where, args := query.where(bounds)
	n := len(args)
	mailboxes := strings.Join(mailboxWords(query, "'r:%s'", "'s:%s'", func(user string) string { return user }), " & ")
	args = append(args, strings.Join(words, " "), query.Limit+1)

	walk := fmt.Sprintf(`
		SELECT * FROM (SELECT %[1]s FROM messages WHERE %[2]s ORDER BY id %[3]s LIMIT %[4]d) AS newest
		WHERE %[7]s @@ plainto_tsquery('simple', $%[5]d) ORDER BY id %[3]s LIMIT $%[6]d`,
		messageColumns, where, query.direction(), searchWalk, n+1, n+2, textWords)
	page, err := selectPage(ctx, q, query.Limit, walk, args...)
	if err != nil || page.HasMore {
		return page, err
	}
	// OFFSET keeps the conditions of the list out of the inner query, where the planner
	// might take an index for them, and the texts of a whole mailbox apart. A text of no
	// words finds nothing, although the empty query finds everything.
	find := fmt.Sprintf(`
		SELECT * FROM (
		    SELECT %[1]s FROM messages
		    WHERE (array_to_tsvector(ARRAY['r:' || recipient, 's:' || sender]) || %[7]s)
		          @@ ($%[6]d::tsquery && plainto_tsquery('simple', $%[4]d))
		    AND numnode(plainto_tsquery('simple', $%[4]d)) > 0 AND deleted = false OFFSET 0) AS found
		WHERE %[2]s ORDER BY id %[3]s LIMIT $%[5]d`,
		messageColumns, where, query.direction(), n+1, n+2, n+3, textWords)
	return selectPage(ctx, q, query.Limit, find, append(args, mailboxes)...)
}

func selectMatchesSQLite(ctx context.Context, q sqlx.QueryerContext, query Query, bounds idRange, words []string) (Page, error) {
	where, args := query.where(bounds)
	mailboxes := mailboxWords(query, "r%s", "s%s", func(user string) string { return strings.ToUpper(hex.EncodeToString([]byte(user))) })
	match := fmt.Sprintf(`mailboxes : ("%s") AND text : ("%s")`, strings.Join(mailboxes, `" AND "`), strings.Join(words, `" AND "`))
	args = append(args, match, query.Limit+1)
	// The first and the last message in the window give the range of numbers.
	edge := "(SELECT number FROM message_numbers WHERE id = (SELECT id FROM messages WHERE " + where + " ORDER BY id %s LIMIT 1))"
	statement := fmt.Sprintf(`
		SELECT %[1]s FROM message_words
		CROSS JOIN message_numbers ON number = message_words.rowid
		CROSS JOIN messages USING (recipient, id)
		WHERE message_words MATCH $%[4]d
		AND message_words.rowid BETWEEN `+fmt.Sprintf(edge, "ASC")+` AND `+fmt.Sprintf(edge, "DESC")+`
		ORDER BY message_words.rowid %[3]s LIMIT $%[5]d`,
		strings.Replace(messageColumns, "text,", "messages.text,", 1), where, query.direction(), len(args)-1, len(args))
	return selectPage(ctx, q, query.Limit, statement, args...)
}

// mailboxWords are the words under which an index has the mailboxes of a query.
func mailboxWords(query Query, received, sent string, spell func(user string) string) (words []string) {
	if query.Recipient != "" {
		words = append(words, fmt.Sprintf(received, spell(query.Recipient)))
	}
	if query.Sender != "" {
		words = append(words, fmt.Sprintf(sent, spell(query.Sender)))
	}
	return words
}
