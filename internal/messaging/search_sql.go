package messaging

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/words"
)

// SearchStep is the tag of the optional migrations that make the index of searches.
const SearchStep = "search"

// Postgres searches by a GIN index over tsvectors, SQLite by FTS5. In both, each mailbox is
// indexed as a word of its messages, so that a search for words in a mailbox reads no more than
// the shortest posting list of any of them, however large other mailboxes are.

// selectMatches is selectMessages for a query with words. The query has a recipient
// or a sender.
func selectMatches(ctx context.Context, q sqlx.QueryerContext, e engine, query Query, bounds idRange) (Page, error) {
	separated := strings.FieldsFunc(query.Words, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r)
	})
	if len(separated) == 0 {
		return Page{}, nil
	}
	page, err := e.selectMatches(ctx, q, query, bounds, separated)
	if err == nil && query.Highlight {
		err = highlight(page.Messages, query.Words)
	}
	return page, err
}

// highlight finds where the words of a query are in the texts.
func highlight(found []Message, q string) error {
	query, err := words.Parse(q)
	if err != nil {
		return invalid("q", err.Error())
	}
	for i := range found {
		found[i].Highlights, _ = query.Match(found[i].Text)
	}
	return nil
}

// selectConversationMatches is selectMatches for a query of the messages in both directions between
// its recipient and its sender.
func selectConversationMatches(ctx context.Context, q sqlx.QueryerContext, e engine, query Query, bounds idRange) (Page, error) {
	received, err := selectMatches(ctx, q, e, query, bounds)
	if err != nil || query.Recipient == query.Sender {
		return received, err
	}
	query.Recipient, query.Sender = query.Sender, query.Recipient
	sent, err := selectMatches(ctx, q, e, query, bounds)
	if err != nil {
		return Page{}, err
	}
	further := func(a, b ID) int { // in the direction of the window
		if query.Upward() {
			return a.Compare(b)
		}
		return b.Compare(a)
	}
	page := Page{Messages: slices.Concat(received.Messages, sent.Messages), HasMore: received.HasMore || sent.HasMore}
	slices.SortFunc(page.Messages, func(a, b Message) int { return further(a.ID, b.ID) })
	for _, one := range []Page{received, sent} {
		if one.HasMore { // what lies beyond its end is not known
			end := one.Messages[len(one.Messages)-1].ID
			page.Messages = slices.DeleteFunc(page.Messages, func(m Message) bool { return further(m.ID, end) > 0 })
		}
	}
	if len(page.Messages) > query.Limit {
		page.Messages, page.HasMore = page.Messages[:query.Limit], true
	}
	return page, nil
}

// mailboxWords are the words of a query's mailboxes in the index.
func mailboxWords(query Query, received, sent string, spell func(user string) string) (indexed []string) {
	if query.Recipient != "" {
		indexed = append(indexed, fmt.Sprintf(received, spell(query.Recipient)))
	}
	if query.Sender != "" {
		indexed = append(indexed, fmt.Sprintf(sent, spell(query.Sender)))
	}
	return indexed
}
