package messaging

import (
	"context"
	"fmt"
	"strings"
	"unicode"

	"github.com/jmoiron/sqlx"
)

// SearchStep is the tag of the optional migrations that make the index of searches.
const SearchStep = "search"

// Postgres searches by a GIN index over tsvectors, SQLite by FTS5. In both, each mailbox is
// indexed as a word of its messages, so that a search for words in a mailbox reads no more than
// the shortest posting list of any of them, however large other mailboxes are.

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

// mailboxWords are the words of a query's mailboxes in the index.
func mailboxWords(query Query, received, sent string, spell func(user string) string) (words []string) {
	if query.Recipient != "" {
		words = append(words, fmt.Sprintf(received, spell(query.Recipient)))
	}
	if query.Sender != "" {
		words = append(words, fmt.Sprintf(sent, spell(query.Sender)))
	}
	return words
}
