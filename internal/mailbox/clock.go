package mailbox

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"
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

// Stamp gives changes new ids, in increasing order, and returns what they write, for a statement.
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
