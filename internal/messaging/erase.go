package messaging

import (
	"context"
	"errors"
	"slices"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/mailbox"
	"github.com/message-service/message-service/internal/searchindex"
)

const (
	// eraseBatch is how many messages one transaction erases: not many, since it locks the mailboxes of
	// all their users.
	eraseBatch    = 100
	eraseRestMax  = 1000 // messages that the last transaction erases
	eraseScan     = 1000 // edits and deletions that a transaction scans for keys to free
	eraseAttempts = 100  // of the last transaction, while others go on sending
)

// EraseUser deletes every message that a user sent or received, the read markers of
// their conversations, on both sides, and the user's blocks, and frees the idempotency keys of
// all those messages. There is a moment before it returns at which none of them is left. It erases
// in small transactions and stops between two of them when ctx ends; what is erased stays
// erased, and it may be repeated. Only a service may call it. Errors: [Forbidden]; [Unavailable]; the error of ctx.
func (s *Service) EraseUser(ctx context.Context, caller Caller, user string) error {
	if !caller.service {
		return forbidden("Only a service may erase a user.")
	}
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
	seen    remnants // what the last attempt of eraseRest found
}

// eraseMost erases, in small transactions, what was stored before it began. Others may go on sending.
func (e *erasure) eraseMost(ctx context.Context) error {
	now := e.service.mailboxes.NewIDs(1)[0]
	if err := e.takeIndexBack(ctx); err != nil {
		return err
	}
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
			if err := e.erase(ctx, tx, &part, ids); err != nil {
				return err
			}
			return resetLastMessages(ctx, tx, e.user, part.messages)
		})
		if err != nil {
			return err
		}
		e.freedUpTo(part.scanned)
	}
}

// errMoreLeft rolls the transaction of eraseRest back if it cannot erase all that is left.
var errMoreLeft = errors.New("more is left than one transaction can erase")

// eraseRest erases, in one transaction, what is left, with the blocks, and reports whether it
// could: it locks the user's mailbox, so that nothing is sent to or by the user meanwhile. It must
// also lock the mailboxes of the peers, all in one order, and so must know the peers before. It
// cannot erase the rest if something by a new peer came before the locks, or if too much is left.
func (e *erasure) eraseRest(ctx context.Context) (done bool, err error) {
	var owners []string
	var rest remnants
	find := func(ctx context.Context, tx *sqlx.Tx) (mailbox.Change, error) {
		before, err := selectRemnants(ctx, tx, e.user, e.freed, eraseRestMax)
		owners = slices.Concat(before.owners(), e.seen.owners(), []string{e.user})
		return mailbox.Change{Owners: owners, N: 1 + eraseRestMax}, err
	}
	err = e.service.mailboxes.EraseFound(ctx, e.user, find, func(ctx context.Context, tx *sqlx.Tx, ids []ID) (err error) {
		if rest, err = selectRemnants(ctx, tx, e.user, e.freed, eraseRestMax); err != nil {
			return err
		}
		if rest.partial || !isSubset(rest.owners(), owners) {
			return errMoreLeft
		}
		if err := e.erase(ctx, tx, &rest, ids); err != nil {
			return err
		}
		if e.service.indexer != nil {
			if err := searchindex.Delete(ctx, tx, e.user); err != nil {
				return err
			}
		}
		return deleteConversationsAndBlocks(ctx, tx, e.user, rest.owners())
	})
	switch {
	case errors.Is(err, errMoreLeft):
		e.seen = rest
		return false, nil
	case err != nil:
		return false, err
	}
	return true, nil
}

func isSubset(some, all []string) bool {
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

// takeIndexBack deletes the index of the user, segment by segment, so that the words of each message
// need not be looked for in it.
func (e *erasure) takeIndexBack(ctx context.Context) error {
	for more := e.service.indexer != nil; more; {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := e.service.db.Tx(ctx, mailbox.WriteTimeout, func(ctx context.Context, tx *sqlx.Tx) error {
			_, err := searchindex.Lock(ctx, tx, []string{e.user})
			if err == nil {
				more, err = searchindex.TakeBack(ctx, tx, e.user)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// erase erases remnants in a transaction that has locked the mailboxes of their owners. Each
// deletion takes one of the ids.
func (e *erasure) erase(ctx context.Context, tx *sqlx.Tx, r *remnants, ids []ID) error {
	if e.service.indexer != nil {
		for part := range slices.Chunk(r.messages, eraseBatch) {
			if err := e.takeWordsOut(ctx, tx, part); err != nil {
				return err
			}
		}
	}
	if err := writeTombstones(ctx, tx, r.messages, ids, forgetKeys); err != nil {
		return err
	}
	if err := freeKeys(ctx, tx, r.keyed); err != nil {
		return err
	}
	return deleteReadMarkers(ctx, tx, r.markers)
}

// takeWordsOut takes the words of messages, which have no texts here, out of the indexes of their users.
func (e *erasure) takeWordsOut(ctx context.Context, tx *sqlx.Tx, list []Message) error {
	ids := make([]ID, len(list))
	for i := range list {
		ids[i] = list[i].ID
	}
	found, err := selectByIDs(ctx, tx, e.service.engine, ids)
	if err != nil {
		return err
	}
	whole := make([]Message, 0, len(found))
	for _, m := range found {
		whole = append(whole, *m)
	}
	return replaceWords(ctx, tx, whole, nil)
}

// freedUpTo records that the keys of tombstones up to a change are free.
func (e *erasure) freedUpTo(scanned *ID) {
	if scanned != nil {
		e.freed = *scanned
	}
}
