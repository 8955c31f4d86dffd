package mailbox

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

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
	n := count(changes)
	if n == 0 {
		return nil
	}
	ids := m.ids.next(n)
	stamps := stampsOf(changes, ids)
	ahead, err := setClocks(ctx, tx, changes, stamps, ids[0], ends)
	if err != nil || len(ahead) == 0 {
		return err
	}
	// Some mailboxes have newer changes, by another writer or by a replica whose
	// wall clock is fast. Only their changes get ids above those, so that a fast clock
	// does not spread to other conversations. All rows are locked by now, so this pass
	// leaves no mailbox ahead. They have counted the changes.
	above := ids[len(ids)-1]
	for _, clock := range ahead {
		if clock.Compare(above) > 0 {
			above = clock
		}
	}
	changes = slices.DeleteFunc(slices.Clone(changes), func(c *Change) bool {
		return !slices.ContainsFunc(c.Owners, func(owner string) bool { _, is := ahead[owner]; return is })
	})
	ids = idsAfter(above, count(changes))
	stamps = stampsOf(changes, ids)
	for _, s := range stamps {
		s.own, s.groups = 0, 0
	}
	ahead, err = setClocks(ctx, tx, changes, stamps, ids[0], ends)
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

// stamp is what changes write to one mailbox: its clock, and what it counts.
type stamp struct {
	clock       ID
	own, groups int
}

// stampsOf gives the changes the ids, which increase, and returns what they write to each mailbox.
func stampsOf(changes []*Change, ids []ID) map[string]*stamp {
	owners := 0
	for _, c := range changes {
		owners += len(c.Owners)
	}
	stamps := make(map[string]*stamp, min(owners, clocksAtOnce)) // some have owners in common
	for _, c := range changes {
		c.IDs, ids = ids[:c.N:c.N], ids[c.N:]
		for _, owner := range c.Owners {
			s := stamps[owner]
			if s == nil {
				s = &stamp{}
				stamps[owner] = s
			}
			s.clock = c.IDs[c.N-1]
			if c.Group {
				s.groups += c.N
			} else {
				s.own = 1
			}
		}
		for _, owner := range c.Own {
			stamps[owner].own = 1
		}
	}
	return stamps
}

// clocksAtOnce is how many clocks one statement sets: SQLite takes 32,766 parameters.
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
func setClocks(
	ctx context.Context, tx *sqlx.Tx, changes []*Change, stamps map[string]*stamp, first ID, ends map[string]Position,
) (map[string]ID, error) {
	owners := slices.Sorted(maps.Keys(stamps)) // all transactions lock in this order, which prevents deadlocks
	followed := slices.Collect(maps.Keys(ends))
	var rows []clockRow
	for some := range slices.Chunk(owners, clocksAtOnce) {
		text, args := setClocksOf[tx.DriverName()](some, stamps, first, followed)
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
		if row.Clock != stamps[row.UserID].clock {
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

// setClocksOf write the statement of each engine, by the name of its driver, that sets the clocks of owners in this
// order, and returns at least the mailboxes that are ahead, blocking, closed or followed.
var setClocksOf = map[string]func(owners []string, stamps map[string]*stamp, first ID, followed []string) (text string, args []any){
	string(db.SQLite): func(owners []string, stamps map[string]*stamp, first ID, _ []string) (text string, args []any) {
		args = make([]any, 0, 4*len(owners)+1)
		for _, owner := range owners {
			s := stamps[owner]
			args = append(args, owner, s.clock, s.own, s.groups)
		}
		return SetClocks("VALUES "+db.RowsOf(len(owners), "(?,?,?,?)"), "?"), append(args, first)
	},
	// Arrays make one statement for any number of owners, which Postgres need not parse and plan each time.
	string(db.Postgres): func(owners []string, stamps map[string]*stamp, first ID, followed []string) (text string, args []any) {
		clocks, own, groups := make([]string, len(owners)), make([]int64, len(owners)), make([]int64, len(owners))
		texts := map[ID]string{} // many mailboxes have few ids
		for i, owner := range owners {
			s := stamps[owner]
			if texts[s.clock] == "" {
				texts[s.clock] = s.clock.String()
			}
			clocks[i], own[i], groups[i] = texts[s.clock], int64(s.own), int64(s.groups)
		}
		ids := slices.Collect(maps.Values(texts))
		return setClocksByArrays, []any{db.Array(owners), db.Array(clocks), db.Array(own), db.Array(groups), first, db.Array(ids), db.Array(followed)}
	},
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
