package messaging

import (
	"context"
	"errors"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/mailbox"
	"github.com/message-service/message-service/internal/searchindex"
)

const (
	// eraseBatch is how many messages one transaction erases: not many, since it locks the mailboxes of
	// all their users.
	eraseBatch    = 100
	eraseScan     = 1000 // edits and deletions that a transaction scans for keys to free
	eraseAttempts = 100  // until one finds nothing left, while others erase the same user
)

// EraseUser deletes every message that a user sent or received, and those they sent to groups, the read markers of
// their conversations, on both sides, their memberships, and the user's blocks and mutes, and frees the idempotency keys of
// all those messages. There is a moment before it returns at which none of them is left.
//
// It closes the user's mailbox first: until all is erased, sends to and by the user are refused with
// [UserClosed]. It erases in small transactions and stops between two of them when ctx ends; what is erased
// stays erased, and the mailbox stays closed until it is repeated to its end. Only a service may call it.
// Errors: [Forbidden]; [Unavailable]; the error of ctx.
func (s *Service) EraseUser(ctx context.Context, caller Caller, user string) error {
	if !caller.service {
		return forbidden("Only a service may erase a user.")
	}
	e := erasure{service: s, user: user}
	for range eraseAttempts {
		for _, step := range []func(context.Context) error{e.close, e.leaveGroups, e.takeIndexBack, e.eraseMost} {
			if err := step(ctx); err != nil {
				return explain(err)
			}
		}
		if err := e.finish(ctx); !errors.Is(err, errMoreLeft) {
			return explain(err)
		}
	}
	return unavailable("The user is being erased by others, too. Try again shortly.")
}

func userClosed() *Error {
	return &Error{Code: UserClosed, Message: "The user is being erased. Until that is done, nothing can be sent to or by them."}
}

// erasure is the state of erasing one user.
type erasure struct {
	service *Service
	user    string
	freed   ID // the keys of tombstones up to this change are free
}

// close closes the mailbox, so that what is left of the user only becomes less.
func (e *erasure) close(ctx context.Context) error {
	return e.service.mailboxes.Change(ctx, []string{e.user}, func(ctx context.Context, tx *sqlx.Tx, _ ID) error {
		return mailbox.Close(ctx, tx, e.user, true)
	})
}

// eraseMost erases, in small transactions, what was stored before it began: all there is, unless somebody
// else, who erases the same user, has opened the mailbox again.
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
			if err := e.erase(ctx, tx, &part, ids); err != nil {
				return err
			}
			return resetLastMessages(ctx, tx, e.service.engine, e.user, part.messages, e.service.now())
		})
		if err != nil {
			return err
		}
		e.freedUpTo(part.scanned)
	}
}

// errMoreLeft rolls the transaction of finish back if it finds that something is left to erase.
var errMoreLeft = errors.New("more is left to erase")

// finish deletes the index of the user, and whom they have blocked and muted, and opens the mailbox again.
func (e *erasure) finish(ctx context.Context) error {
	return e.service.mailboxes.Erase(ctx, []string{e.user}, 1, func(ctx context.Context, tx *sqlx.Tx, _ []ID) error {
		rest, err := selectRemnants(ctx, tx, e.user, e.freed, 1)
		if err != nil {
			return err
		}
		inGroups, err := selectGroupRemnants(ctx, tx, e.service.engine, e.user, 1)
		if err != nil {
			return err
		}
		if !rest.isEmpty() || inGroups.group != "" {
			return errMoreLeft
		}
		if e.service.indexer != nil {
			if err := searchindex.Delete(ctx, tx, e.user); err != nil {
				return err
			}
		}
		if err := deleteChoices(ctx, tx, e.user); err != nil {
			return err
		}
		return mailbox.Close(ctx, tx, e.user, false)
	})
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
		if err := e.takeWordsOut(ctx, tx, r.messages); err != nil {
			return err
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
	found, err := selectByIDs(ctx, tx, e.service.engine, notDeleted, ids)
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
