package messaging

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/mailbox"
	"github.com/message-service/message-service/internal/panics"
	"github.com/message-service/message-service/internal/roster"
	"github.com/message-service/message-service/internal/searchindex"
)

const (
	groupEraseBatch    = 500         // rows of a deleted group that one transaction erases
	groupEraseInterval = time.Minute // between looks for groups that another server has deleted, and not erased
)

// deleteGroup makes a locked group a deleted one, and ends its memberships. It deletes the read markers of the members,
// too, which would still be in their feeds. The messages and the rows beside the group, which nobody can read any more,
// are left to the groupEraser.
func deleteGroup(ctx context.Context, tx *sqlx.Tx, g *roster.Locked, changed ID) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE groups SET deleted = true, name = '', metadata = NULL, fingerprint = NULL, last_message_id = NULL,
			member_count = 0, version = version + 1, changed = $1 WHERE group_id = $2`, changed, g.Address)
	if err != nil {
		return fmt.Errorf("delete group: %w", err)
	}
	for users := range slices.Chunk(g.Members.Users(), groupEraseBatch) {
		_, err := tx.ExecContext(ctx, tx.Rebind(`
			UPDATE memberships SET state = 'deleted', changed = ?, muted_until = NULL, hidden = NULL
			WHERE group_id = ? AND user_id IN (`+db.RowsOf(len(users), "?")+`)`), append([]any{changed, g.Address}, db.Args(users)...)...)
		if err != nil {
			return fmt.Errorf("end memberships: %w", err)
		}
		_, err = tx.ExecContext(ctx, tx.Rebind(`DELETE FROM read_markers WHERE peer = ? AND owner IN (`+db.RowsOf(len(users), "?")+`)`),
			append([]any{g.Address}, db.Args(users)...)...)
		if err != nil {
			return fmt.Errorf("delete read markers of members: %w", err)
		}
	}
	g.Deleted = true
	return nil
}

// groupEraser erases what deleted groups have left, in small transactions, each of which begins anew: so it goes on
// wherever it was stopped, and several servers do not wait for each other.
type groupEraser struct {
	db      *db.DB
	rosters *roster.Rosters
	indexed bool // there may be indexes for searches
	log     *slog.Logger
	due     chan struct{} // a group was deleted
}

// wake has it look for deleted groups.
func (e *groupEraser) wake() {
	select {
	case e.due <- struct{}{}:
	default:
	}
}

// run erases until ctx ends. In a round, one group follows the other; one that cannot be erased is left to the next round.
func (e *groupEraser) run(ctx context.Context) {
	after := "" // the last group of this round that could not be erased
	for ctx.Err() == nil {
		var address string
		err := e.db.Tx(ctx, mailbox.WriteTimeout, func(ctx context.Context, tx *sqlx.Tx) (err error) {
			address, err = e.step(ctx, tx, after)
			return err
		})
		if err != nil && ctx.Err() == nil {
			e.log.Warn("a deleted group could not be erased; trying again later", "error", err)
			after = address
		}
		if address != "" {
			continue
		}
		after = ""
		select {
		case <-e.due:
		case <-time.After(groupEraseInterval):
		case <-ctx.Done():
		}
	}
}

// erase erases a deleted group, or waits until another server has.
func (e *groupEraser) erase(ctx context.Context, address string) error {
	for erased := false; !erased; {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := e.db.Tx(ctx, mailbox.WriteTimeout, func(ctx context.Context, tx *sqlx.Tx) (err error) {
			if erased, err = e.rosters.LockErased(ctx, tx, address); err == nil && !erased {
				err = e.erasePart(ctx, tx, address)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// step erases a part of the first deleted group after an address that no other server is erasing, and returns its own
// address, also with an error, or "" if there is none.
func (e *groupEraser) step(ctx context.Context, tx *sqlx.Tx, after string) (address string, err error) {
	defer panics.AsError(&err) // which keeps the address, so that the groups after it are erased
	address, err = e.rosters.LockDeleted(ctx, tx, after)
	if err == nil && address != "" {
		err = e.erasePart(ctx, tx, address)
	}
	return address, err
}

// erasePart erases a part of a deleted group, whose row is locked.
func (e *groupEraser) erasePart(ctx context.Context, tx *sqlx.Tx, address string) error {
	for _, part := range []func(context.Context, *sqlx.Tx, string) (erased bool, err error){
		eraseRows[ID]("messages", "recipient = $1 AND deleted = false", "id"),
		eraseRows[ID]("messages", "recipient = $1 AND deleted = true", "id"),
		eraseRows[string]("members", "group_id = $1", "user_id"),
		e.eraseIndex,
	} {
		if erased, err := part(ctx, tx, address); err != nil || erased {
			if err != nil {
				err = fmt.Errorf("erase a part of a group: %w", err)
			}
			return err
		}
	}
	return e.finish(ctx, tx, address)
}

// eraseRows erases the first rows of a group in some table, in the order of a key, as a range of an index. With a list of their
// keys, or with a subquery for them, Postgres may read all rows of the group each time.
func eraseRows[K any](table, where, key string) func(context.Context, *sqlx.Tx, string) (erased bool, err error) {
	return func(ctx context.Context, tx *sqlx.Tx, address string) (erased bool, err error) {
		var keys []K
		err = tx.SelectContext(ctx, &keys, "SELECT "+key+" FROM "+table+" WHERE "+where+" ORDER BY "+key+" LIMIT $2", address, groupEraseBatch)
		if err != nil || len(keys) == 0 {
			return false, err
		}
		ctx = db.WithCustomPlan(ctx) // which knows that the range is short
		_, err = tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE "+where+" AND "+key+" >= $2 AND "+key+" <= $3", address, keys[0], keys[len(keys)-1])
		return true, err
	}
}

// eraseIndex erases one segment of the index for searches.
func (e *groupEraser) eraseIndex(ctx context.Context, tx *sqlx.Tx, address string) (erased bool, err error) {
	if !e.indexed {
		return false, nil
	}
	if _, err := searchindex.Lock(ctx, tx, []string{address}); err != nil {
		return false, err
	}
	return searchindex.TakeBack(ctx, tx, address)
}

// finish erases the mailbox, and the rest of the index after it: an indexer that has read messages before they were
// erased has either stored their words by then, or finds no mailbox.
func (e *groupEraser) finish(ctx context.Context, tx *sqlx.Tx, address string) error {
	if _, err := tx.ExecContext(ctx, "DELETE FROM mailboxes WHERE user_id = $1", address); err != nil {
		return fmt.Errorf("erase the mailbox of a group: %w", err)
	}
	if e.indexed {
		if err := searchindex.Delete(ctx, tx, address); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, "UPDATE groups SET erased = true WHERE group_id = $1", address); err != nil {
		return fmt.Errorf("note that a group is erased: %w", err)
	}
	return nil
}
