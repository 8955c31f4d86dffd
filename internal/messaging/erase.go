package messaging

import (
	"context"
	"errors"
	"slices"

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

// eraseMost erases what there is now, in small transactions. Others may go on sending meanwhile.
func (e *erasure) eraseMost(ctx context.Context) error {
	now := e.service.mailboxes.NewIDs(1)[0]
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
		owners := append(part.owners(), e.user)
		err = e.service.mailboxes.Erase(ctx, owners, 1+len(part.messages), func(ctx context.Context, tx *sqlx.Tx, ids []ID) error {
			if err := part.erase(ctx, tx, ids); err != nil {
				return err
			}
			return untouchConversations(ctx, tx, e.user, part.messages)
		})
		if err != nil {
			return err
		}
		e.freedUpTo(part.walked)
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
	var owners []string
	var rest remnants
	find := func(ctx context.Context, tx *sqlx.Tx) ([]string, error) {
		before, err := selectRemnants(ctx, tx, e.user, e.freed, eraseRestMax)
		owners = slices.Concat(before.owners(), e.met.owners(), []string{e.user})
		return owners, err
	}
	err = e.service.mailboxes.EraseFound(ctx, e.user, 1+eraseRestMax, find, func(ctx context.Context, tx *sqlx.Tx, ids []ID) (err error) {
		if rest, err = selectRemnants(ctx, tx, e.user, e.freed, eraseRestMax); err != nil {
			return err
		}
		if rest.partial || !areAmong(rest.owners(), owners) {
			return errNotAlone
		}
		if err := rest.erase(ctx, tx, ids); err != nil {
			return err
		}
		return deleteConversationsAndBlocks(ctx, tx, e.user, rest.owners())
	})
	switch {
	case errors.Is(err, errNotAlone):
		e.met = rest
		return false, nil
	case err != nil:
		return false, err
	}
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

// erase erases remnants in a transaction that has locked the mailboxes of all whom they concern.
// Each message is deleted under an id of its own.
func (r *remnants) erase(ctx context.Context, tx *sqlx.Tx, ids []ID) error {
	if err := writeTombstones(ctx, tx, r.messages, ids, forgetKeys); err != nil {
		return err
	}
	if err := freeKeys(ctx, tx, r.keyed); err != nil {
		return err
	}
	return deleteReadMarkers(ctx, tx, r.markers)
}

// freedUpTo notes that the keys of tombstones up to a change are free.
func (e *erasure) freedUpTo(walked *ID) {
	if walked != nil {
		e.freed = *walked
	}
}
