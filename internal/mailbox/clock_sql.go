package mailbox

import (
	"context"
	"database/sql/driver"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
)

// clocksAtOnce is how many clocks one statement sets at most.
const clocksAtOnce = 8000

// clockRow is a mailbox after its clock was set, or was not.
type clockRow struct {
	UserID string `db:"user_id"`
	Position
	Blocking bool `db:"blocking"`
	Closed   bool `db:"closed"`
}

// setClocks locks the mailboxes of changes, has them count the changes, and sets the clocks that are
// below the first id. It returns the clocks that are not, and sets where the mailboxes end whose owners are in ends.
func setClocks(ctx context.Context, tx *sqlx.Tx, changes []*Change, stamps []Stamp, ends map[string]Position) (map[string]ID, error) {
	first, followed := changes[0].IDs[0], slices.Collect(maps.Keys(ends))
	var rows []clockRow
	ctx, batches := db.Batches(ctx, tx.DriverName(), stamps, clocksAtOnce)
	for some := range batches {
		text, args := setClocksOf[tx.DriverName()](some, first, followed)
		var set []clockRow
		if err := tx.SelectContext(ctx, &set, text, args...); err != nil {
			return nil, fmt.Errorf("set mailbox clocks: %w", err)
		}
		rows = append(rows, set...)
	}
	ahead, blocking, closed := map[string]ID{}, map[string]bool{}, map[string]bool{}
	for _, row := range rows {
		if _, is := ends[row.UserID]; is {
			ends[row.UserID] = row.Position
		}
		place, _ := slices.BinarySearchFunc(stamps, row.UserID, func(s Stamp, owner string) int { return strings.Compare(s.Owner, owner) })
		if row.Clock != stamps[place].Clock {
			ahead[row.UserID] = row.Clock
		}
		if row.Blocking {
			blocking[row.UserID] = true
		}
		if row.Closed {
			closed[row.UserID] = true
		}
	}
	for _, c := range changes {
		c.Blocking = len(blocking) > 0 && slices.ContainsFunc(c.Owners, func(owner string) bool { return blocking[owner] })
		if c.Closed = nil; len(closed) > 0 {
			c.Closed = slices.DeleteFunc(slices.Clone(c.Owners), func(owner string) bool { return !closed[owner] })
		}
	}
	return ahead, nil
}

// setClocksOf write the statement of each engine, by the name of its driver, that sets clocks, and returns at least the
// mailboxes that are ahead, blocking, closed or followed.
var setClocksOf = map[string]func(stamps []Stamp, first ID, followed []string) (text string, args []any){
	string(db.SQLite): func(stamps []Stamp, first ID, _ []string) (text string, args []any) {
		args = make([]any, 0, 4*len(stamps)+1)
		for _, s := range stamps {
			args = append(args, s.Owner, s.Clock, s.Own, s.Groups)
		}
		return SetClocks("VALUES "+db.RowsOf(len(stamps), "(?,?,?,?)"), "?"), append(args, first)
	},
	// Arrays make one statement for any number of owners, which Postgres need not parse and plan each time.
	string(db.Postgres): func(stamps []Stamp, first ID, followed []string) (text string, args []any) {
		owners, clocks, own, groups, ids := Arrays(stamps)
		return setClocksByArrays, []any{owners, clocks, own, groups, first, ids, db.Array(followed)}
	},
}

// Arrays makes arrays of Postgres of stamps, and one that has each clock once. Many mailboxes have few clocks.
func Arrays(stamps []Stamp) (owners, clocks, own, groups, each driver.Valuer) {
	texts, all := map[ID]string{}, make([]string, len(stamps))
	users, counts, ofGroups := make([]string, len(stamps)), make([]int64, len(stamps)), make([]int64, len(stamps))
	for i, s := range stamps {
		if texts[s.Clock] == "" {
			texts[s.Clock] = s.Clock.String()
		}
		users[i], all[i], counts[i], ofGroups[i] = s.Owner, texts[s.Clock], s.Own, s.Groups
	}
	return db.Array(users), db.Array(all), db.Array(counts), db.Array(ofGroups), db.Array(slices.Collect(maps.Values(texts)))
}

// The clocks that were set are ids of the changes, and no other is. To have the database tell them apart spares
// reading a row for each mailbox. As a subquery the ids are hashed, and not compared one by one with each clock.
var setClocksByArrays = `
	WITH stamped AS (
		` + SetClocks("SELECT * FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::bigint[])", "$5") + `
	)
	SELECT *, ` + db.Postgres.Server() + ` AS server FROM stamped WHERE clock NOT IN (SELECT unnest($6::uuid[])) OR blocking OR closed OR user_id = ANY($7::text[])`

// SetClocks writes the statement that locks mailboxes, in the order of the rows, and sets
// each clock that is below the first of the new ids. The rows are the owner, the clock, and by how
// much the counts of own changes and of changes of groups grow, also where the clock is not set.
func SetClocks(rows, first string) string {
	return `INSERT INTO mailboxes (user_id, clock, own_changes, group_changes) ` + rows + `
		ON CONFLICT (user_id) DO UPDATE
		SET clock = CASE WHEN mailboxes.clock < ` + first + ` THEN excluded.clock ELSE mailboxes.clock END,
			own_changes = mailboxes.own_changes + excluded.own_changes, group_changes = mailboxes.group_changes + excluded.group_changes
		RETURNING user_id, clock, own_changes, group_changes, blocking, closed`
}

// Close marks a mailbox, which must be locked, as that of a user who is being erased, or opens it
// again. Changes learn it by [Change].Closed; whether they go on is theirs to decide.
func Close(ctx context.Context, tx *sqlx.Tx, owner string, closed bool) error {
	if _, err := tx.ExecContext(ctx, "UPDATE mailboxes SET closed = $1 WHERE user_id = $2", closed, owner); err != nil {
		return fmt.Errorf("close mailbox: %w", err)
	}
	return nil
}
