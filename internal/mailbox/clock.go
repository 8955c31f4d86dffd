package mailbox

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
)

// Position is the end of a mailbox: its clock, and what it has counted by then.
type Position struct {
	Clock ID
	Counts
}

// Counts are what a mailbox has counted: its changes. A reader who knows two counts, and the changes that they
// saw in between, can tell whether there were others.
type Counts struct {
	Server string `db:"server"`        // that has counted; see [db.Engine.Server]
	Own    int64  `db:"own_changes"`   // transactions with changes other than of groups, or of the user's own memberships
	Groups int64  `db:"group_changes"` // changes of groups, each; 0 for a user who was never in one
}

// Change is one change, or several at once, in the mailboxes of its owners.
type Change struct {
	Owners  []string
	N       int      // the number of ids it takes; with 0 it leaves the mailboxes alone
	Group   bool     // its ids are changes of a group, which mailboxes count apart from all others
	Own     []string // of a change of a group: the owners for whom it is a change of their own, too
	Publish []string // what to publish once it is committed; the owners if nil

	IDs      []ID     // in increasing order; set by stamp
	Blocking bool     // one of the owners has blocked somebody at some time; set by stamp
	Closed   []string // the owners who are being erased, see [Close]; set by stamp
}

// stamp gives each change ids that are greater than the clocks of all its mailboxes, and sets
// those clocks. The mailboxes stay locked until the transaction ends. stamp must come before
// everything else that the transaction changes, but for the locks of groups. It sets where the mailboxes end now
// whose owners are in ends.
func (m *Mailboxes) stamp(ctx context.Context, tx *sqlx.Tx, changes []*Change, ends map[string]Position) error {
	if count(changes) == 0 {
		return nil
	}
	stamps := m.Stamp(changes)
	ahead, err := setClocks(ctx, tx, changes, stamps, ends)
	if err != nil || len(ahead) == 0 {
		return err
	}
	// Some mailboxes have newer changes, by another writer or by a replica whose
	// wall clock is fast. Only their changes get ids above those, so that a fast clock
	// does not spread to other conversations. All rows are locked by now, so this pass
	// leaves no mailbox ahead. They have counted the changes.
	last := changes[len(changes)-1]
	above := last.IDs[last.N-1]
	for _, clock := range ahead {
		if clock.Compare(above) > 0 {
			above = clock
		}
	}
	changes = slices.DeleteFunc(slices.Clone(changes), func(c *Change) bool {
		return !slices.ContainsFunc(c.Owners, func(owner string) bool { _, is := ahead[owner]; return is })
	})
	stamps = stampsOf(changes, idsAfter(above, count(changes)))
	for i := range stamps {
		stamps[i].Own, stamps[i].Groups = 0, 0
	}
	ahead, err = setClocks(ctx, tx, changes, stamps, ends)
	if err == nil && len(ahead) > 0 {
		err = errors.New("a mailbox clock moved while its row was locked")
	}
	return err
}

func count(changes []*Change) (ids int) {
	for _, c := range changes {
		ids += c.N
	}
	return ids
}

// Stamp is what changes write to one mailbox: its clock, and what it counts.
type Stamp struct {
	Owner       string
	Clock       ID
	Own, Groups int64
}

// Stamp gives changes new ids, in increasing order, and returns what they write, for a statement by [SetClocks].
func (m *Mailboxes) Stamp(changes []*Change) []Stamp {
	return stampsOf(changes, m.ids.next(count(changes)))
}

// stampsOf gives the changes the ids, which increase, and returns what they write to each mailbox, in the order of their owners:
// all transactions lock in this order, which prevents deadlocks.
func stampsOf(changes []*Change, ids []ID) []Stamp {
	owners := 0
	for _, c := range changes {
		owners += len(c.Owners)
	}
	owners = min(owners, clocksAtOnce) // some have owners in common
	stamps, places := make([]Stamp, 0, owners), make(map[string]int, owners)
	for _, c := range changes {
		c.IDs, ids = ids[:c.N:c.N], ids[c.N:]
		for _, owner := range c.Owners {
			place, known := places[owner]
			if !known {
				place = len(stamps)
				places[owner], stamps = place, append(stamps, Stamp{Owner: owner})
			}
			s := &stamps[place]
			s.Clock = c.IDs[c.N-1]
			if c.Group {
				s.Groups += int64(c.N)
			} else {
				s.Own = 1
			}
		}
		for _, owner := range c.Own {
			stamps[places[owner]].Own = 1
		}
	}
	slices.SortFunc(stamps, func(a, b Stamp) int { return strings.Compare(a.Owner, b.Owner) })
	return stamps
}

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
