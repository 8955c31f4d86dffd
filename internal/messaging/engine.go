package messaging

import (
	"context"

	"github.com/jmoiron/sqlx"
)

// engine is what each database engine does in its own way. Each has a file; a service
// chooses its own once, when it is made.
type engine interface {
	// storeBatch stores messages of which none needs care, by one statement, where there is
	// nothing to decide: no mailbox is ahead of their ids, and none of their users has ever
	// blocked anybody. It returns the ids of those it has stored: not of those whose idempotency keys are
	// taken, nor any where it does not know. What it has not stored goes through [store]; so an
	// engine without such a statement stores none. With an error, which is of an unavailable
	// database, the outcome is unknown.
	storeBatch(ctx context.Context, messages []*StoredMessage) (stored []ID, err error)

	// stored is told how many messages were stored, once they are committed.
	stored(messages int)

	// close waits, as long as ctx lasts, for what stored has begun.
	close(ctx context.Context)

	// selectMatches is selectMessages for a query with words, and a recipient or a sender.
	selectMatches(ctx context.Context, q sqlx.QueryerContext, query Query, bounds idRange, words []string) (Page, error)

	// selectChanges returns a page of a user's feed.
	selectChanges(ctx context.Context, q sqlx.QueryerContext, user string, after ID, limit feedLimit) (ChangePage, error)

	// selectChangesOf returns a page of the feeds of those of the users who have a mailbox.
	selectChangesOf(ctx context.Context, q sqlx.QueryerContext, after map[string]ID, limit feedLimit) (map[string]ChangePage, error)

	// merged writes a statement for what either of two select, in one order and up to a limit.
	merged(a, b, order string) string

	// rebind turns question marks into the engine's own parameters.
	rebind(statement string) string
}
