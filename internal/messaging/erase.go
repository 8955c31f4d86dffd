package messaging

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/jmoiron/sqlx"
)

const (
	eraseBatch    = 100  // messages that one transaction erases: few, since it locks the mailboxes of all their users
	eraseRestMax  = 1000 // messages that the last one erases
	eraseAttempts = 100  // to find a moment at which nothing is left, while others go on sending
)

// EraseUser deletes every message that a user sent or received, the read markers of
// their conversations, on both sides, and the user's blocks, and frees the idempotency keys of
// all those messages. At some moment before it returns there was none of them. It does so in
// small transactions and stops between two of them when ctx ends; what is erased stays
// erased, and it may be repeated. Errors: [Unavailable]; the error of ctx.
func (s *Service) EraseUser(ctx context.Context, user string) error {
	e := erasure{service: s, user: user, peers: map[string]bool{}}
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
	peers   map[string]bool // with whom there were messages that are to be erased at once
	freed   ID              // the keys of tombstones up to this change are free
}

// eraseMost erases what there is now, in small transactions. Others may go on sending meanwhile.
func (e *erasure) eraseMost(ctx context.Context) error {
	now := e.service.ids.next(1)[0]
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		var batch []Message
		err := e.service.db.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) (err error) {
			batch, err = selectLive(ctx, q, e.user, eraseBatch)
			return err
		})
		if err != nil {
			return err
		}
		if len(batch) == 0 || batch[0].ID.Compare(now) > 0 {
			return e.freeKeys(ctx)
		}
		users := usersOf(batch)
		err = e.tx(ctx, users, func(ctx context.Context, tx *sqlx.Tx) error {
			return e.erase(ctx, tx, batch)
		})
		if err != nil {
			return err
		}
		e.service.tell(users...)
	}
}

// freeKeys frees the idempotency keys of tombstones, in small transactions.
func (e *erasure) freeKeys(ctx context.Context) error {
	for more := true; more; {
		if err := ctx.Err(); err != nil {
			return err
		}
		var upTo *ID
		err := e.tx(ctx, []string{e.user}, func(ctx context.Context, tx *sqlx.Tx) (err error) {
			if upTo, err = selectChangeAfter(ctx, tx, e.user, e.freed, eraseRestMax); err != nil || upTo == nil {
				return err
			}
			return freeKeys(ctx, tx, e.user, e.freed, *upTo)
		})
		if err != nil {
			return err
		}
		if more = upTo != nil; more {
			e.freed = *upTo
		}
	}
	return nil
}

// errNotAlone is what eraseRest ends its transaction with where it cannot erase all of it.
var errNotAlone = errors.New("messages of others came in between")

// eraseRest erases, in one transaction, what is left, with the markers and blocks, and
// reports whether that was all: nobody could send to the user or as the user meanwhile, since
// it has locked their mailbox. It also needs those of the peers, and all of them are
// locked in one order, so it has to know the peers before: it is not done where there is
// a message of another one, or there are too many.
func (e *erasure) eraseRest(ctx context.Context) (done bool, err error) {
	var rest []Message
	err = e.tx(ctx, append(slices.Collect(maps.Keys(e.peers)), e.user), func(ctx context.Context, tx *sqlx.Tx) error {
		if err := e.lock(ctx, tx); err != nil {
			return err
		}
		if rest, err = selectLive(ctx, tx, e.user, eraseRestMax+1); err != nil {
			return err
		}
		if len(rest) > eraseRestMax || e.meet(rest) {
			return errNotAlone
		}
		if err := e.erase(ctx, tx, rest); err != nil {
			return err
		}
		if err := freeKeys(ctx, tx, e.user, e.freed, lastID); err != nil {
			return err
		}
		return deleteMarkersAndBlocks(ctx, tx, e.user)
	})
	if errors.Is(err, errNotAlone) {
		return false, nil
	}
	if err == nil {
		e.service.tell(usersOf(rest)...)
	}
	return err == nil, err
}

// lock locks the mailboxes of the user and of the peers with whom there are messages.
func (e *erasure) lock(ctx context.Context, tx *sqlx.Tx) error {
	messages, err := selectLive(ctx, tx, e.user, eraseRestMax+1)
	if err != nil {
		return err
	}
	e.meet(messages)
	changes := []*change{{users: [2]string{e.user, e.user}}}
	for peer := range e.peers {
		changes = append(changes, &change{users: [2]string{e.user, peer}})
	}
	return e.service.ids.stamp(ctx, tx, changes)
}

// meet notes the peers of messages, and reports whether there was a new one.
func (e *erasure) meet(messages []Message) (isNew bool) {
	for _, m := range messages {
		for _, peer := range []string{m.Sender, m.Recipient} {
			if peer != e.user && !e.peers[peer] {
				e.peers[peer], isNew = true, true
			}
		}
	}
	return isNew
}

// erase deletes messages of the user in the transaction, and frees their keys.
func (e *erasure) erase(ctx context.Context, tx *sqlx.Tx, messages []Message) error {
	if len(messages) == 0 {
		return nil
	}
	changes := make([]*change, len(messages))
	for i, m := range messages {
		changes[i] = &change{users: [2]string{m.Sender, m.Recipient}}
	}
	if err := e.service.ids.stamp(ctx, tx, changes); err != nil {
		return err
	}
	erased, changed := make([]*Message, len(messages)), make([]ID, len(messages))
	for i := range messages {
		erased[i], changed[i] = &messages[i], changes[i].id
	}
	return eraseMessages(ctx, tx, e.user, erased, changed)
}

// tx runs fn in a transaction, in turn with other changes of the users.
func (e *erasure) tx(ctx context.Context, users []string, fn func(context.Context, *sqlx.Tx) error) error {
	return e.service.others.do(ctx, users, func() error { return e.service.db.Tx(ctx, writeTimeout, fn) })
}

// usersOf returns the senders and recipients of messages.
func usersOf(messages []Message) []string {
	users := make([]string, 0, 2*len(messages))
	for _, m := range messages {
		users = append(users, m.Sender, m.Recipient)
	}
	return users
}
