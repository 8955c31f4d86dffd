package messaging

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/jmoiron/sqlx"
)

// change is a change in the mailboxes of two users, who may be the same one.
type change struct {
	users    [2]string
	id       ID   // set by stamp
	blocking bool // set by stamp: one of the users has ever blocked somebody
}

// stamp gives each change an id that is greater than the clocks of both mailboxes
// it touches, and sets those clocks. The mailboxes stay locked until the
// transaction ends, so it comes before everything else that a transaction changes.
func (g *idGenerator) stamp(ctx context.Context, tx *sqlx.Tx, changes []*change) error {
	ids := g.next(len(changes))
	ahead, err := setClocks(ctx, tx, changes, ids)
	if err != nil || len(ahead) == 0 {
		return err
	}
	// Some mailboxes have newer changes, by another writer or by a replica whose
	// wall clock is fast. Their changes get ids above those; the rest keep theirs,
	// so that a fast clock reaches no further than the conversations it is part of.
	// All rows are locked by now, so this pass leaves nothing behind.
	above := ids[len(ids)-1]
	for _, clock := range ahead {
		if clock.Compare(above) > 0 {
			above = clock
		}
	}
	changes = slices.DeleteFunc(slices.Clone(changes), func(c *change) bool {
		_, first := ahead[c.users[0]]
		_, second := ahead[c.users[1]]
		return !first && !second
	})
	ahead, err = setClocks(ctx, tx, changes, idsAfter(above, len(changes)))
	if err == nil && len(ahead) > 0 {
		err = errors.New("a mailbox clock moved while its row was locked")
	}
	return err
}

// setClocks gives the changes the ids, which increase, locks their mailboxes and
// sets the clocks of those whose clock is below the first id. It returns the
// clocks it left alone.
func setClocks(ctx context.Context, tx *sqlx.Tx, changes []*change, ids []ID) (map[string]ID, error) {
	clocks := make(map[string]ID, 2*len(changes))
	for i, c := range changes {
		c.id = ids[i]
		clocks[c.users[0]], clocks[c.users[1]] = ids[i], ids[i]
	}
	users := slices.Sorted(maps.Keys(clocks)) // everyone locks in this order, so nobody deadlocks
	args := make([]any, 0, 2*len(users)+1)
	for _, user := range users {
		args = append(args, user, clocks[user])
	}
	args = append(args, ids[0])

	rows := []struct {
		UserID   string `db:"user_id"`
		Clock    ID     `db:"clock"`
		Blocking bool   `db:"blocking"`
	}{}
	err := tx.SelectContext(ctx, &rows, tx.Rebind(`
		INSERT INTO mailboxes (user_id, clock) VALUES `+rowsOf(len(users), "(?,?)")+`
		ON CONFLICT (user_id) DO UPDATE
		SET clock = CASE WHEN mailboxes.clock < ? THEN excluded.clock ELSE mailboxes.clock END
		RETURNING user_id, clock, blocking`), args...)
	if err != nil {
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
		c.blocking = blocking[c.users[0]] || blocking[c.users[1]]
	}
	return ahead, nil
}
