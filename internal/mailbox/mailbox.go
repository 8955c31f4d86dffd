// Package mailbox is where every change begins: it gives changes their ids and keeps the order
// of each mailbox.
//
// Every user has a mailbox, and every mailbox a clock: the id of the newest change in it. A
// change locks the mailboxes of its owners, in the order of their ids, takes an [ID] greater
// than all their clocks, sets those to it, and keeps the locks until it commits. So the
// ids of one mailbox become visible in increasing order: a reader who has seen an id never
// sees a smaller one appear later. That is what lets one value be a message's id, its time, its
// place in every list and the cursor of a reader, on any SQL engine.
//
// A mailbox also counts its changes: those of groups, each, and the transactions that made others.
// So a reader who has seen some changes knows whether they were all.
//
// The order holds even if the wall clock of a replica is wrong, but the times in its ids are wrong
// then. If it is fast, the mailboxes it has written to stay ahead of the time until that time comes.
package mailbox

import (
	"context"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
)

// WriteTimeout bounds one transaction that writes.
const WriteTimeout = 10 * time.Second

// Mailboxes are the mailboxes of a database. They are safe for concurrent use.
type Mailboxes struct {
	db      *db.DB
	ids     *idGenerator
	locks   *locks
	publish func(owners []string)
}

// Options adjusts [Mailboxes].
type Options struct {
	Now     func() time.Time // the wall clock
	Waiting int              // changes that may wait before more are refused

	// Publish announces whose mailboxes have changed, once that is committed. It must not block.
	Publish func(owners []string)
}

// New makes the mailboxes of a migrated database.
func New(database *db.DB, options Options) *Mailboxes {
	perMailbox := max(1, options.Waiting/16) // so that a few mailboxes leave room for others
	return &Mailboxes{
		db:      database,
		ids:     newIDGenerator(options.Now),
		locks:   newLocks(options.Waiting, perMailbox, database.Slots.Changes),
		publish: options.Publish,
	}
}

// Waiting is how many changes wait, or are being made; batches are not among them.
func (m *Mailboxes) Waiting() int { return m.locks.length() }

// NewIDs makes ids, in increasing order and greater than all that were made before.
func (m *Mailboxes) NewIDs(n int) []ID { return m.ids.next(n) }

// Change makes one change in the mailboxes of its owners, of whom there may be any number: it
// runs fn in a transaction that has locked them and set their clocks to the id, and publishes
// the owners once that is committed. A change waits in memory until no other change holds
// its mailboxes, so that many changes of one mailbox take one connection. fn may run again, as in
// [db.DB.Add], and may only add to what users wrote; see [Mailboxes.Erase].
// Errors: [ErrTooMany], [ErrCrowded], [ErrTooSlow]; those of ctx, db and fn.
func (m *Mailboxes) Change(ctx context.Context, owners []string, fn func(context.Context, *sqlx.Tx, ID) error) error {
	return m.change(ctx, m.db.Add, owners, known(owners, 1), func(ctx context.Context, tx *sqlx.Tx, c Change) error {
		return fn(ctx, tx, c.IDs[0])
	})
}

// Erase makes n changes at once as [Mailboxes.Change] makes one, in a transaction that may replace
// or erase what users wrote. With n = 0 it locks no mailbox in the database and publishes nothing:
// that is for what is in no list and no feed.
func (m *Mailboxes) Erase(ctx context.Context, owners []string, n int, fn func(context.Context, *sqlx.Tx, []ID) error) error {
	return m.change(ctx, m.db.Tx, owners, known(owners, n), func(ctx context.Context, tx *sqlx.Tx, c Change) error {
		return fn(ctx, tx, c.IDs)
	})
}

// EraseFound is [Mailboxes.Erase] of a change that find returns at the start of the transaction, before
// it locks any mailbox: which owners it has, how many ids it takes, and the rest. Of its owners one is known
// before: the change waits in memory for the lock of this one alone. fn gets the change as it was stamped.
func (m *Mailboxes) EraseFound(
	ctx context.Context, owner string, find func(context.Context, *sqlx.Tx) (Change, error), fn func(context.Context, *sqlx.Tx, Change) error,
) error {
	return m.change(ctx, m.db.Tx, []string{owner}, find, fn)
}

// Batch makes many changes in one transaction as [Mailboxes.Change] makes one: those that find returns at
// its start, before it locks any mailbox. It takes no locks in
// memory, so two batches with an owner in common would wait for each other in the database. Nor
// does it publish, since only fn knows what became of each. Changes of
// the same owners have ids in their order. Where a mailbox is ahead, other changes may not, but
// all of them become visible together. It returns where the mailboxes of the followed owners, who
// must be among those of the changes, end after the transaction.
func (m *Mailboxes) Batch(
	ctx context.Context, followed []string,
	find func(context.Context, *sqlx.Tx) ([]*Change, error), fn func(context.Context, *sqlx.Tx) error,
) (ends map[string]Position, err error) {
	err = m.db.Add(ctx, WriteTimeout, func(ctx context.Context, tx *sqlx.Tx) error {
		changes, err := find(ctx, tx)
		if err != nil {
			return err
		}
		ends = make(map[string]Position, len(followed))
		for _, owner := range followed {
			ends[owner] = Position{}
		}
		if err := m.stamp(ctx, tx, changes, ends); err != nil {
			return err
		}
		return fn(ctx, tx)
	})
	if err != nil {
		return nil, err
	}
	return ends, nil
}

// transaction is [db.DB.Add] or [db.DB.Tx].
type transaction func(ctx context.Context, timeout time.Duration, fn func(context.Context, *sqlx.Tx) error) error

// known is a find of [Mailboxes.EraseFound] for a change whose owners are known before.
func known(owners []string, n int) func(context.Context, *sqlx.Tx) (Change, error) {
	return func(context.Context, *sqlx.Tx) (Change, error) { return Change{Owners: owners, N: n}, nil }
}

// change makes the change that find returns, once it has locked the mailboxes of some owners in memory.
func (m *Mailboxes) change(
	ctx context.Context, in transaction, lock []string,
	find func(context.Context, *sqlx.Tx) (Change, error), fn func(context.Context, *sqlx.Tx, Change) error,
) error {
	var c Change
	err := m.locks.do(ctx, lock, func() error {
		return in(ctx, WriteTimeout, func(ctx context.Context, tx *sqlx.Tx) (err error) {
			if c, err = find(ctx, tx); err != nil {
				return err
			}
			if err := m.stamp(ctx, tx, []*Change{&c}, nil); err != nil {
				return err
			}
			return fn(ctx, tx, c)
		})
	})
	if err != nil || c.N == 0 {
		return err
	}
	if c.Publish == nil {
		c.Publish = c.Owners
	}
	m.publish(c.Publish)
	return nil
}
