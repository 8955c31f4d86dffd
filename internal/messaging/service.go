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
	now    func() time.Time
	ids    *idGenerator
	writer *writer
	search bool
	tell   func(users ...string)
}

// Options adjusts a [Service]; the zero value serves production.
type Options struct {
	Now       func() time.Time // the wall clock; time.Now if nil
	QueueSize int              // sends that may wait to be stored before more are refused; 4096 if 0
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
	ids := newIDGenerator(options.Now)
	return &Service{
		db:     database,
		now:    options.Now,
		ids:    ids,
		writer: startWriter(database, ids, options),
		search: !options.SearchOff,
		tell:   func(users ...string) { options.Changed(users) },
	}
}

// Close refuses new messages and stores those that wait; it returns an error when
// ctx ends first. The database stays open.
func (s *Service) Close(ctx context.Context) error { return s.writer.close(ctx) }

// readyTimeout bounds the wait for a sign of life; whoever asks will not wait long.
const readyTimeout = 2 * time.Second

// Ready returns an [Unavailable] error when messages cannot be read or none could be
// stored, for whatever reason.
func (s *Service) Ready(ctx context.Context) error {
	answered := make(chan error, 1)
	go func() {
		answered <- s.db.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) error {
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
