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

// Change is one change, or several at once, in the mailboxes of its owners.
type Change struct {
	Owners []string
	N      int // the number of ids it takes; with 0 it leaves the mailboxes alone

	IDs      []ID // in increasing order; set by stamp
	Blocking bool // one of the owners has blocked somebody at some time; set by stamp
}

// stamp gives each change ids that are greater than the clocks of all its mailboxes, and sets
// those clocks. The mailboxes stay locked until the transaction ends. stamp must come before
// everything else that the transaction changes.
func (m *Mailboxes) stamp(ctx context.Context, tx *sqlx.Tx, changes []*Change) error {
	n := count(changes)
	if n == 0 {
		return nil
	}
	ids := m.ids.next(n)
	ahead, err := setClocks(ctx, tx, changes, ids)
	if err != nil || len(ahead) == 0 {
		return err
	}
	// Some mailboxes have newer changes, by another writer or by a replica whose
	// wall clock is fast. Only their changes get ids above those, so that a fast clock
	// does not spread to other conversations. All rows are locked by now, so this pass
	// leaves no mailbox ahead.
	above := ids[len(ids)-1]
	for _, clock := range ahead {
		if clock.Compare(above) > 0 {
			above = clock
		}
	}
	changes = slices.DeleteFunc(slices.Clone(changes), func(c *Change) bool {
		return !slices.ContainsFunc(c.Owners, func(owner string) bool { _, is := ahead[owner]; return is })
	})
	ahead, err = setClocks(ctx, tx, changes, idsAfter(above, count(changes)))
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

// setClocks gives the changes the ids, which increase, locks their mailboxes and sets the clocks
// that are below the first id. It returns the clocks that are not.
func setClocks(ctx context.Context, tx *sqlx.Tx, changes []*Change, ids []ID) (map[string]ID, error) {
	first := ids[0]
	clocks := make(map[string]ID, 2*len(changes))
	for _, c := range changes {
		c.IDs, ids = ids[:c.N:c.N], ids[c.N:]
		for _, owner := range c.Owners {
			clocks[owner] = c.IDs[c.N-1]
		}
	}
	owners := slices.Sorted(maps.Keys(clocks)) // all transactions lock in this order, which prevents deadlocks
	args := make([]any, 0, 2*len(owners)+1)
	for _, owner := range owners {
		args = append(args, owner, clocks[owner])
	}
	args = append(args, first)

	rows := []struct {
		UserID   string `db:"user_id"`
		Clock    ID     `db:"clock"`
		Blocking bool   `db:"blocking"`
	}{}
	if err := tx.SelectContext(ctx, &rows, tx.Rebind(SetClocks("VALUES "+db.RowsOf(len(owners), "(?,?)"), "?")), args...); err != nil {
		return nil, fmt.Errorf("set mailbox clocks: %w", err)
	}
	ahead, blocking := map[string]ID{}, map[string]bool{}
	for _, row := range rows {
		if row.Clock != clocks[row.UserID] {
			ahead[row.UserID] = row.Clock
		}
		if row.Blocking {
			blocking[row.UserID] = true
		}
	}
	for _, c := range changes {
		c.Blocking = slices.ContainsFunc(c.Owners, func(owner string) bool { return blocking[owner] })
	}
	return ahead, nil
}

// SetClocks writes the statement that locks mailboxes, in the order of the rows, and sets
// each clock that is below the first of the new ids. The rows are pairs of owner and clock.
func SetClocks(rows, first string) string {
	return `INSERT INTO mailboxes (user_id, clock) ` + rows + `
		ON CONFLICT (user_id) DO UPDATE
		SET clock = CASE WHEN mailboxes.clock < ` + first + ` THEN excluded.clock ELSE mailboxes.clock END
		RETURNING user_id, clock, blocking`
}
