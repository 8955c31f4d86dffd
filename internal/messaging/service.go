package messaging

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"github.com/jmoiron/sqlx"
	"golang.org/x/sync/singleflight"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/mailbox"
	"github.com/message-service/message-service/internal/panics"
	"github.com/message-service/message-service/internal/roster"
)

// Service holds the use cases. It is safe for concurrent use.
type Service struct {
	db          *db.DB
	engine      engine
	now         func() time.Time
	mailboxes   *mailbox.Mailboxes
	rosters     *roster.Rosters
	sends       *sends
	queueSize   int
	indexer     *indexer      // nil without searches
	pages       *pageBatches  // nil on SQLite
	searches    chan struct{} // holds one for each search that reads
	probes      singleflight.Group
	groupEraser groupEraser

	groupsByUsers                  bool
	groupMaxMembers, userMaxGroups int
}

// Options adjusts a [Service]; the zero value serves production.
type Options struct {
	Now       func() time.Time // the wall clock; time.Now if nil
	QueueSize int              // sends to users, as many to groups, and as many other changes, that may wait to be stored before more are refused; 4096 if 0
	SearchOff bool             // the database was migrated without what searches need

	GroupsByUsers   bool // users may create groups, and not only services
	GroupMaxMembers int  // of a group; 1,000 if 0
	UserMaxGroups   int  // that a user may be a member of; 1,000 if 0

	Log *slog.Logger // for messages to the operator; none if nil

	// Followed returns those of some users whose mailboxes somebody follows in this process; nil if nobody does.
	Followed func(users []string) []string

	// Publish announces whose mailboxes have changed, once that is committed, and of followed ones, as far as
	// that is known, what was stored in them. It must not block.
	Publish func(addresses []string, stored map[string]Stored)
}

// New makes a service on a migrated database. Close it to store what is waiting.
func New(database *db.DB, options Options) *Service {
	if options.Now == nil {
		options.Now = time.Now
	}
	if options.QueueSize == 0 {
		options.QueueSize = 4096
	}
	if options.Publish == nil {
		options.Publish = func([]string, map[string]Stored) {}
	}
	if options.Followed == nil {
		options.Followed = func([]string) []string { return nil }
	}
	if options.Log == nil {
		options.Log = slog.New(slog.DiscardHandler)
	}
	e := engines[database.Engine](database)
	var index *indexer
	if !options.SearchOff {
		index = newIndexer(database, e, options.Log)
	}
	mailboxes := mailbox.New(database, mailbox.Options{
		Now: options.Now, Waiting: options.QueueSize, Publish: func(owners []string) { options.Publish(owners, nil) },
	})
	rosters := roster.New(database)
	return &Service{
		db:          database,
		engine:      e,
		now:         options.Now,
		mailboxes:   mailboxes,
		rosters:     rosters,
		sends:       startSends(database, e, mailboxes, rosters, index, options),
		queueSize:   options.QueueSize,
		indexer:     index,
		pages:       e.pageBatches(options.Log),
		searches:    make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2)),
		groupEraser: groupEraser{db: database, rosters: rosters, indexed: !options.SearchOff, log: options.Log, due: make(chan struct{}, 1)},

		groupsByUsers:   options.GroupsByUsers,
		groupMaxMembers: cmp.Or(options.GroupMaxMembers, 1000),
		userMaxGroups:   cmp.Or(options.UserMaxGroups, 1000),
	}
}

// GroupLimits returns how many members a group may have, and how many groups a user may be a member of.
func (s *Service) GroupLimits() (members, groups int) { return s.groupMaxMembers, s.userMaxGroups }

// Close refuses new messages and stores those that wait; it returns an error when
// ctx ends first. The database stays open.
func (s *Service) Close(ctx context.Context) error { return s.sends.close(ctx) }

// Index indexes mailboxes for searches until ctx ends. Without it, a search in a mailbox with many new
// messages takes longer, since it indexes them first.
func (s *Service) Index(ctx context.Context) {
	if s.indexer != nil {
		s.indexer.run(ctx)
	}
}

// EraseGroups erases what is left of deleted groups until ctx ends.
func (s *Service) EraseGroups(ctx context.Context) { s.groupEraser.run(ctx) }

// readyTimeout is short, since health checks do not wait long.
const readyTimeout = 2 * time.Second

// Ready returns an [Unavailable] error when messages cannot be read or stored. Calls at the same time share a probe:
// anyone may ask, and many probes would keep others waiting for the connection, such as the read of revocations.
func (s *Service) Ready(ctx context.Context) error {
	if err := s.db.Intact(); err != nil {
		return explain(err)
	}
	answered := s.probes.DoChan("", func() (_ any, err error) {
		defer panics.AsError(&err)
		return nil, s.db.Probe(ctx, func(ctx context.Context, q sqlx.QueryerContext) error {
			if err := s.db.Writable(ctx, q); err != nil {
				return err
			}
			var any int
			return sqlx.GetContext(ctx, q, &any, "SELECT count(*) FROM (SELECT 1 FROM messages LIMIT 1) AS one")
		})
	})
	select {
	case answer := <-answered:
		err := answer.Err
		if err != nil && !errors.Is(err, db.ErrUnavailable) {
			err = errors.Join(db.ErrUnavailable, err)
		}
		return explain(err)
	case <-time.After(readyTimeout):
		return explain(fmt.Errorf("%w: no answer within %s", db.ErrUnavailable, readyTimeout))
	}
}

// engines make an engine for a service.
var engines = map[db.Engine]func(database *db.DB) engine{
	db.Postgres: newPostgres,
	db.SQLite:   newSQLite,
}
