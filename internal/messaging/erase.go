package messaging

import (
	"context"
	"errors"

	"github.com/jmoiron/sqlx"
)

const (
	// eraseBatch is how many messages one transaction erases: few, since it locks the mailboxes of
	// all their users, and long texts have many words in the index of SQLite.
	eraseBatch    = 25
	eraseRestMax  = 1000 // messages that the last one erases
	eraseWalk     = 1000 // edits and deletions that one looks at for keys to free
	eraseAttempts = 100  // to find a moment at which nothing is left, while others go on sending
)

// EraseUser deletes every message that a user sent or received, the read markers of
// their conversations, on both sides, and the user's blocks, and frees the idempotency keys of
// all those messages. At some moment before it returns there was none of them. It does so in
// small transactions and stops between two of them when ctx ends; what is erased stays
// erased, and it may be repeated. Errors: [Unavailable]; the error of ctx.
func (s *Service) EraseUser(ctx context.Context, user string) error {
	e := erasure{service: s, user: user}
	for range eraseAttempts {
		if err := e.eraseMost(ctx); err != nil {
			return explain(err)
		}
		done, err := e.eraseRest(ctx)
		if err != nil || done {
			return explain(err)
		}
	}
	return &Error{Code: Unavailable, Message: "Messages of the user are stored faster than they can be erased. Try again shortly."}
}

// erasure is the state of erasing one user.
type erasure struct {
	service *Service
	user    string
	freed   ID       // the keys of tombstones up to this change are free
	met     remnants // what the last attempt to erase all that is left has found
}

// remnants are what there is of a user, or a part of it.
type remnants struct {
	messages []Message    // not deleted
	keyed    []Message    // deleted, and their idempotency keys are not free
	markers  []ReadMarker // the user's, and those of peers in conversations with them
	walked   *ID          // up to which change it was looked for keyed ones; nil if there is none
	partial  bool         // there may be more
}

func (r *remnants) isEmpty() bool {
	return len(r.messages) == 0 && len(r.keyed) == 0 && len(r.markers) == 0 && r.walked == nil
}

// changes are what locks the mailboxes of all whom the remnants concern; those of the
// messages come first.
func (r *remnants) changes() []*change {
	changes := make([]*change, 0, len(r.messages)+len(r.keyed)+len(r.markers))
	for _, messages := range [][]Message{r.messages, r.keyed} {
		for _, m := range messages {
			changes = append(changes, &change{users: [2]string{m.Sender, m.Recipient}})
		}
	}
	for _, m := range r.markers {
		changes = append(changes, &change{users: [2]string{m.Owner, m.Peer}})
	}
	return changes
}

// usersOf returns whom changes concern.
func usersOf(changes []*change) []string {
	users := make([]string, 0, 2*len(changes))
	for _, c := range changes {
		users = append(users, c.users[:]...)
	}
	return users
}

// eraseMost erases what there is now, in small transactions. Others may go on sending meanwhile.
func (e *erasure) eraseMost(ctx context.Context) error {
	now := e.service.ids.next(1)[0]
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		var part remnants
		err := e.service.db.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) (err error) {
			part, err = selectRemnants(ctx, q, e.user, e.freed, eraseBatch)
			return err
		})
		if err != nil || part.isEmpty() || len(part.messages) > 0 && part.messages[0].ID.Compare(now) > 0 {
			return err
		}
		changes := part.changes()
		err = e.tx(ctx, usersOf(changes), func(ctx context.Context, tx *sqlx.Tx) error {
			if err := e.erase(ctx, tx, &part, changes); err != nil {
				return err
			}
			return untouchConversations(ctx, tx, e.user, part.messages)
		})
		if err != nil {
			return err
		}
		e.finished(&part)
	}
}

// errNotAlone is what eraseRest ends its transaction with where it cannot erase all of it.
var errNotAlone = errors.New("messages of others came in between")

// eraseRest erases, in one transaction, what is left, with the blocks, and reports whether that
// was all: nobody could send to the user or as the user meanwhile, since it has locked
// their mailbox. It also needs those of the peers, and all of them are locked in one order,
// so it has to know the peers before: it is not done where something came of another one, or
// there is too much.
func (e *erasure) eraseRest(ctx context.Context) (done bool, err error) {
	var rest remnants
	err = e.tx(ctx, []string{e.user}, func(ctx context.Context, tx *sqlx.Tx) error {
		before, err := selectRemnants(ctx, tx, e.user, e.freed, eraseRestMax)
		if err != nil {
			return err
		}
		locks := append(before.changes(), e.met.changes()...)
		locks = append(locks, &change{users: [2]string{e.user, e.user}})
		if err := e.service.ids.stamp(ctx, tx, locks); err != nil {
			return err
		}
		if rest, err = selectRemnants(ctx, tx, e.user, e.freed, eraseRestMax); err != nil {
			return err
		}
		changes := rest.changes()
		if rest.partial || !areAmong(usersOf(changes), usersOf(locks)) {
			return errNotAlone
		}
		if err := e.erase(ctx, tx, &rest, changes); err != nil {
			return err
		}
		return deleteConversationsAndBlocks(ctx, tx, e.user, usersOf(changes))
	})
	switch {
	case errors.Is(err, errNotAlone):
		e.met = rest
		return false, nil
	case err != nil:
		return false, err
	}
	e.finished(&rest)
	return true, nil
}

func areAmong(some, all []string) bool {
	set := make(map[string]bool, len(all))
	for _, user := range all {
		set[user] = true
	}
	for _, user := range some {
		if !set[user] {
			return false
		}
	}
	return true
}

// erase erases remnants in the transaction, once it has locked the mailboxes of all whom they
// concern and given each message the id of its deletion.
func (e *erasure) erase(ctx context.Context, tx *sqlx.Tx, part *remnants, changes []*change) error {
	if len(changes) == 0 {
		return nil
	}
	if err := e.service.ids.stamp(ctx, tx, changes); err != nil {
		return err
	}
	changed := make([]ID, len(part.messages))
	for i := range changed {
		changed[i] = changes[i].id
	}
	if err := writeTombstones(ctx, tx, part.messages, changed, forgetKeys); err != nil {
		return err
	}
	if err := freeKeys(ctx, tx, part.keyed); err != nil {
		return err
	}
	return deleteReadMarkers(ctx, tx, part.markers)
}

// finished notes what a transaction has erased, once it is committed.
func (e *erasure) finished(part *remnants) {
	if part.walked != nil {
		e.freed = *part.walked
	}
	if changes := part.changes(); len(part.messages) > 0 {
		e.service.tell(usersOf(changes[:len(part.messages)])...)
	}
}

// tx runs fn in a transaction, in turn with other changes of the users.
func (e *erasure) tx(ctx context.Context, users []string, fn func(context.Context, *sqlx.Tx) error) error {
	return e.service.others.do(ctx, users, func() error { return e.service.db.Tx(ctx, writeTimeout, fn) })
}
