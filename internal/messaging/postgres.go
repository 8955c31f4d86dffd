package messaging

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/mailbox"
)

// postgres is Postgres, and databases that speak its protocol.
type postgres struct {
	postgresDialect
	feedStatements

	db        *db.DB
	slowOnly  atomic.Bool    // the server does not support storeBatch
	noGroups  atomic.Bool    // nor storeInGroups, or the role may not call the function that it needs
	changesOf map[int]string // see changesOfUsers
}

func newPostgres(database *db.DB) engine {
	// Planning takes longer than reading a feed, so the statement must get a generic plan, which
	// Postgres chooses only if it costs no more than a custom plan. Subqueries hide the parameters
	// from the planner, and the limit is no parameter: both plans are the same. TestPlans checks it.
	const user, after, none = "(SELECT $1::text)", "(SELECT $2::uuid)", "(SELECT $3::uuid)"
	return &postgres{
		feedStatements: feedStatements{changesOfUser(user, after, db.Postgres.Server()), groupPlaces(user, after, none, "least")},
		db:             database, changesOf: changesOfUsers(),
	}
}

func (p *postgres) fastPath() fastPath {
	if p.slowOnly.Load() {
		return nil
	}
	return p
}

// storeBatch is a whole batch in one statement: it locks the mailboxes in the order of their
// users and sets the clocks. If all clocks were behind the ids, and none of the users has ever
// blocked somebody or is being erased, it stores the messages whose keys are new, and sets the last messages of their
// conversations. The clocks and flags come from RETURNING, so they are those of the locked rows and
// not of the statement's snapshot. A clock that was set is an id of the batch, and no other is.
var storeBatch = `
	WITH drafts AS (
		SELECT * FROM unnest(` + arrayParameters(2) + `) AS draft (` + Messages.Columns() + `)
	), locked AS (
		` + mailbox.SetClocks(`
		SELECT DISTINCT ON (user_id) user_id, id, 1, 0 FROM (
			SELECT recipient COLLATE "C" AS user_id, id FROM drafts UNION ALL SELECT sender COLLATE "C", id FROM drafts
		) AS sides ORDER BY user_id, id DESC`, "$1::uuid") + `
	), free AS (
		SELECT FROM locked HAVING bool_and(clock IN (SELECT id FROM drafts) AND NOT blocking AND NOT closed)
	), stored AS (
		INSERT INTO messages (` + Messages.Columns() + `) SELECT ` + Messages.Of("drafts") + ` FROM drafts, free` + unlessTaken + `
		RETURNING recipient, id, sender
	), touched AS (
		` + setLast(`
		SELECT DISTINCT ON (owner, peer) owner, peer, id FROM (
			SELECT recipient AS owner, sender AS peer, id FROM stored UNION ALL SELECT sender, recipient, id FROM stored
		) AS sides ORDER BY owner, peer, id DESC`) + `
	)
	SELECT id FROM stored`

// storeBatchFollowed also selects where the mailboxes of followed users end, as rows with the user.
var storeBatchFollowed = strings.TrimSuffix(storeBatch, "SELECT id FROM stored") + `
	SELECT '' AS user_id, id AS clock, 0 AS own_changes, 0 AS group_changes, '' AS server FROM stored
	UNION ALL SELECT user_id, clock, own_changes, group_changes, ` + db.Postgres.Server() + ` FROM locked
	WHERE user_id = ANY($` + strconv.Itoa(len(storedColumns)+2) + `::text[])`

func (p *postgres) storeBatch(ctx context.Context, list []*StoredMessage, followed []string) (stored []ID, ends map[string]Position, err error) {
	args := append([]any{list[0].ID}, arraysOf(list)...)
	err = p.db.Statement(ctx, mailbox.WriteTimeout, func(ctx context.Context, q sqlx.QueryerContext) (err error) {
		if len(followed) == 0 {
			stored = nil
			err = sqlx.SelectContext(ctx, q, &stored, storeBatch, args...)
		} else {
			stored, ends, err = selectStored(ctx, q, append(args, db.Array(followed))...)
		}
		if err != nil {
			return fmt.Errorf("store a batch: %w", err)
		}
		return nil
	})
	if err == nil || errors.Is(err, db.ErrUnavailable) || db.IsLost(err) {
		return stored, ends, err
	}
	p.slowOnly.Store(db.IsUnsupported(err))
	return nil, nil, nil // the path of the rules finds the message at fault
}

// selectStored runs storeBatchFollowed.
func selectStored(ctx context.Context, q sqlx.QueryerContext, args ...any) (stored []ID, ends map[string]Position, err error) {
	ends = map[string]Position{}
	err = eachPosition(ctx, q, func(user string, end Position) {
		if user == "" {
			stored = append(stored, end.Clock)
		} else {
			ends[user] = end
		}
	}, storeBatchFollowed, args...)
	return stored, ends, err
}

// changesOfUsers returns the statements that read several feeds by a lateral join, by [feedLimit.rows].
func changesOfUsers() map[int]string {
	statements := map[int]string{}
	for _, size := range feedSizes {
		limit := feedLimit{changes: size}
		statements[limit.rows()] = `
			SELECT mailbox.user_id AS mailbox, changes.*
			FROM unnest((SELECT $1::text[]), (SELECT $2::uuid[])) AS mailbox (user_id, after)
			CROSS JOIN LATERAL (` + changesOf("mailbox.user_id", "mailbox.after", db.Postgres.Server(), limit) + `) AS changes`
	}
	return statements
}

// selectChangesOf reads the feeds in one round trip.
func (p *postgres) selectChangesOf(ctx context.Context, q sqlx.QueryerContext, after map[string]ID, limit feedLimit) (map[string]ChangePage, error) {
	users := slices.Sorted(maps.Keys(after))
	pages := make(map[string]ChangePage, len(users))
	building := make(map[string]*feedPage, len(users))
	err := eachChange(ctx, q, func(row *changeRow) (full bool, err error) {
		page, ok := building[row.mailbox]
		if !ok {
			page = &feedPage{limit: limit}
			building[row.mailbox] = page
		}
		_, err = page.add(row)
		return false, err
	}, p.changesOf[limit.rows()],
		arrayOf(users, "text", func(user string) driver.Value { return user }),
		arrayOf(users, "uuid", func(user string) driver.Value { id := after[user]; return id[:] }))
	for user, page := range building {
		pages[user] = page.end()
	}
	return pages, err
}

// groupPositions reads the positions at all places by a lateral join.
var groupPositions = `
	SELECT place.n - 1, found.*
	FROM unnest($1::text[], $2::uuid[], $3::uuid[], $4::bigint[]) WITH ORDINALITY AS place (group_id, low, visible_from, most, n)
	CROSS JOIN LATERAL (` + positionsIn("place.group_id", "place.low", "place.visible_from", "$5", "place.most") + `) AS found`

func (p *postgres) selectGroupPositions(ctx context.Context, q sqlx.QueryerContext, places []groupPlace, upTo ID) (positions []groupPosition, err error) {
	args := []any{
		arrayOf(places, "text", func(p groupPlace) driver.Value { return p.group }),
		arrayOf(places, "uuid", func(p groupPlace) driver.Value { return p.after[:] }),
		arrayOf(places, "uuid", func(p groupPlace) driver.Value { return p.visibleFrom[:] }),
		arrayOf(places, "bigint", func(p groupPlace) driver.Value { return p.limit }),
		upTo,
	}
	err = appendPositions(ctx, q, &positions, groupPositions, args...)
	return positions, err
}
