package messaging

import (
	"context"
	"fmt"
	"strings"
	"unicode"

	"github.com/jmoiron/sqlx"
)

// SearchStep is the optional step of the schema that makes what searches need.
const SearchStep = "search"

// Each engine searches by its own means: Postgres by a GIN index over tsvectors,
// SQLite by FTS5. In both, a mailbox is a word of the index, so that a search for
// words in a mailbox reads no more than the shortest list of messages that the index
// has for any of them, whatever goes on in other mailboxes.

// selectMatches is selectMessages for a query with words. The query has a recipient
// or a sender.
func selectMatches(ctx context.Context, q sqlx.QueryerContext, e engine, query Query, bounds idRange) (Page, error) {
	words := strings.FieldsFunc(query.Words, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r)
	})
	if len(words) == 0 {
		return Page{}, nil
	}
	return e.selectMatches(ctx, q, query, bounds, words)
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
