package messaging

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jmoiron/sqlx"
)

// change is a change in the mailboxes of two users, who may be the same one.
type change struct {
	users [2]string
	id    ID // set by stamp
}

// stamp gives each change an id, in increasing order, that is greater than the
// clocks of both mailboxes it touches, and sets those clocks. The mailboxes stay
// locked until the transaction ends, so it comes first in every transaction that
// changes anything.
func (g *idGenerator) stamp(ctx context.Context, tx *sqlx.Tx, changes []*change) error {
	// The ids are a guess on the first pass: another replica may have stamped one
	// of these mailboxes higher. On the second pass all of them are locked and the
	// generator has seen their clocks, so the guess is right.
	for range 2 {
		ids := g.next(len(changes))
		clocks := make(map[string]ID, 2*len(changes))
		for i, c := range changes {
			c.id = ids[i]
			clocks[c.users[0]], clocks[c.users[1]] = ids[i], ids[i]
		}
		ahead, err := setClocks(ctx, tx, clocks, ids[0])
		if err != nil || len(ahead) == 0 {
			return err
		}
		for _, clock := range ahead {
			g.observe(clock)
		}
	}
	return errors.New("a mailbox clock moved while its row was locked")
}

// setClocks locks the mailboxes and sets the clocks of those whose clock is below
// lowest, the smallest id about to be used. It returns the clocks it left alone.
func setClocks(ctx context.Context, tx *sqlx.Tx, clocks map[string]ID, lowest ID) ([]ID, error) {
	users := make([]string, 0, len(clocks))
	for user := range clocks {
		users = append(users, user)
	}
	slices.Sort(users) // everyone locks in this order, so nobody deadlocks
	args := make([]any, 0, 2*len(users)+1)
	for _, user := range users {
		args = append(args, user, clocks[user])
	}
	args = append(args, lowest)

	rows := []struct {
		UserID string `db:"user_id"`
		Clock  ID     `db:"clock"`
	}{}
	err := tx.SelectContext(ctx, &rows, fmt.Sprintf(`
		INSERT INTO mailboxes (user_id, clock) VALUES %s
		ON CONFLICT (user_id) DO UPDATE
		SET clock = CASE WHEN mailboxes.clock < $%d THEN excluded.clock ELSE mailboxes.clock END
		RETURNING user_id, clock`, placeholders(len(users), 2), len(args)), args...)
	if err != nil {
		return nil, fmt.Errorf("set mailbox clocks: %w", err)
	}
	var ahead []ID
	for _, row := range rows {
		if row.Clock != clocks[row.UserID] {
			ahead = append(ahead, row.Clock)
		}
	}
	return ahead, nil
}
