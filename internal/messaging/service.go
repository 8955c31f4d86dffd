package messaging

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
)

// writeTimeout bounds one writing transaction.
const writeTimeout = 10 * time.Second

// Service holds the use cases. It is safe for concurrent use.
type Service struct {
	db     *db.DB
	engine engine
	now    func() time.Time
	ids    *idGenerator
	writer *writer
	others *admission // changes that are no sends
	search bool
	tell   func(users ...string)
}

// Options adjusts a [Service]; the zero value serves production.
type Options struct {
	Now       func() time.Time // the wall clock; time.Now if nil
	QueueSize int              // sends, and as many other changes, that may wait to be stored before more are refused; 4096 if 0
	SearchOff bool             // the database was migrated without what searches need

	// Changed is told whose mailboxes have changed, once that is committed. It must
	// not block.
	Changed func(users []string)
}

// New makes a service on a migrated database. Close it to store what is waiting.
func New(database *db.DB, options Options) *Service {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.QueueSize == 0 {
		options.QueueSize = 4096
	}
	if options.Changed == nil {
		options.Changed = func([]string) {}
	}
	e := engines[database.Engine](database, options)
	ids := newIDGenerator(options.Now)
	line := max(1, options.QueueSize/16) // so that a few mailboxes leave room for others
	return &Service{
		db:     database,
		engine: e,
		now:    options.Now,
		ids:    ids,
		writer: startWriter(database, e, ids, options),
		others: newAdmission(options.QueueSize, line, database.Slots.Changes),
		search: !options.SearchOff,
		tell:   func(users ...string) { options.Changed(users) },
	}
}

// transaction is [db.DB.Tx], or [db.DB.Add] for a change that neither replaces nor erases what
// somebody wrote.
type transaction func(ctx context.Context, timeout time.Duration, fn func(context.Context, *sqlx.Tx) error) error

// change runs fn in a transaction that has locked the mailboxes of two users, who may be
// the same one, and set their clocks to the id of the change. It runs again like [db.DB.Tx].
func (s *Service) change(ctx context.Context, in transaction, a, b string, fn func(ctx context.Context, tx *sqlx.Tx, id ID) error) error {
	users := [2]string{a, b}
	err := s.others.do(ctx, users[:], func() error {
		return in(ctx, writeTimeout, func(ctx context.Context, tx *sqlx.Tx) error {
			c := change{users: users}
			if err := s.ids.stamp(ctx, tx, []*change{&c}); err != nil {
				return err
			}
			return fn(ctx, tx, c.id)
		})
	})
	if err == nil {
		s.tell(a, b)
	}
	return explain(err)
}

// Close refuses new messages and stores those that wait; it returns an error when
// ctx ends first. The database stays open.
func (s *Service) Close(ctx context.Context) error { return s.writer.close(ctx) }

// readyTimeout bounds the wait for a sign of life; whoever asks will not wait long.
const readyTimeout = 2 * time.Second

// Ready returns an [Unavailable] error when messages cannot be read or none could be
// stored, for whatever reason.
func (s *Service) Ready(ctx context.Context) error {
	if err := s.db.Intact(); err != nil {
		return explain(err)
	}
	answered := make(chan error, 1)
	go func() {
		answered <- s.db.Probe(ctx, func(ctx context.Context, q sqlx.QueryerContext) error {
			if err := s.db.Writable(ctx, q); err != nil {
				return err
			}
			var any int
			return sqlx.GetContext(ctx, q, &any, "SELECT count(*) FROM (SELECT 1 FROM messages LIMIT 1) AS one")
		})
	}()
	select {
	case err := <-answered:
		if err != nil && !errors.Is(err, db.ErrUnavailable) {
			err = errors.Join(db.ErrUnavailable, err)
		}
		return explain(err)
	case <-time.After(readyTimeout):
		return explain(fmt.Errorf("%w: no answer within %s", db.ErrUnavailable, readyTimeout))
	}
}
