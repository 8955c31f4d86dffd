package messaging

import (
	"context"
	"log/slog"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/mailbox"
)

// dialect is what differs between the database engines in single statements.
type dialect interface {
	// between writes the condition that a message is from a sender to a recipient. The engine then uses the index
	// messages_between, whatever it assumes of the users.
	between(recipient, sender string) string

	// merged writes the union of two selects, with the ORDER BY and LIMIT of order.
	merged(a, b, order string) string

	// lookup writes the left join of a table, under an alias, with the one row that a condition selects by an index.
	lookup(table, alias, condition string) string

	// withIDs writes the FROM clause of messages with some ids, by an index, and its arguments. Of the conditions of that
	// index on deleted it takes one: notDeleted or anyDeleted.
	withIDs(deleted string, ids []ID) (from string, args []any)

	// keysOf writes the rows of recipient, sender and hash of the keys of messages, and their arguments.
	keysOf(list []*StoredMessage) (rows string, args []any)

	// insertMessages is [InsertMessages] of messages in the order of their ids.
	insertMessages(ctx context.Context, tx *sqlx.Tx, list []*StoredMessage) (stored []ID, err error)

	// server writes an expression that identifies the server of the database; see [db.Engine.Server].
	server() string

	// rebind turns question marks into the engine's own parameters.
	rebind(statement string) string
}

// dialects are those of the engines by the names of their drivers, for where there is only a transaction.
var dialects = map[string]dialect{string(db.Postgres): postgresDialect{}, string(db.SQLite): sqliteDialect{}}

// engine is a dialect, and what an engine does in its own way. Each engine has its files; [New] chooses one.
type engine interface {
	dialect

	// fastPath returns what stores sends by one statement, or nil where the database does not support that, or it gains nothing.
	fastPath() fastPath

	// pageBatches makes what reads pages of several users by one statement, or nil where that saves nothing.
	pageBatches(log *slog.Logger) *pageBatches

	// selectChanges returns a page of a user's feed, without their groups.
	selectChanges(ctx context.Context, q sqlx.QueryerContext, f feedQuery) (ChangePage, error)

	// selectChangesOf returns such a page for each user who has a mailbox.
	selectChangesOf(ctx context.Context, q sqlx.QueryerContext, after map[string]ID, limit feedLimit) (map[string]ChangePage, error)

	// selectGroupPlaces returns where to read the changes of a user's groups after a cursor and up to another.
	selectGroupPlaces(ctx context.Context, q sqlx.QueryerContext, user string, after, upTo ID) ([]groupPlace, error)

	// selectGroupPositions returns the first positions of each kind at each place, in the order of each kind.
	selectGroupPositions(ctx context.Context, q sqlx.QueryerContext, places []groupPlace, upTo ID) ([]groupPosition, error)
}

// fastPath stores sends, none of which needs the rules, by one statement a batch. What it does not store goes through [store] or
// [storeToGroups]. After an error, which is a db.ErrUnavailable, the outcome is unknown; the statement has run once at most.
type fastPath interface {
	// storeBatch stores messages, unless a mailbox is ahead of their ids or one of their users has ever
	// blocked somebody or is being erased. It returns the ids of the messages it has stored: not of those whose
	// idempotency keys are taken. It also returns where the mailboxes of the followed users end now, whether it has
	// stored something or not.
	storeBatch(ctx context.Context, messages []*StoredMessage, followed []string) (stored []ID, ends map[string]Position, err error)

	// storeInGroups is the same for sends to groups: if a group has another version, or a key is taken, it changes nothing. Of a
	// group that has a mailbox which is ahead, and of a sender who is being erased, it does not store the messages. It also reports
	// whether a mailbox was ahead.
	storeInGroups(ctx context.Context, messages []*StoredMessage, versions map[string]int64, stamps []mailbox.Stamp) (stored []ID, ahead bool, err error)
}
