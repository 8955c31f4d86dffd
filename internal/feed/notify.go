package feed

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/message-service/message-service/internal/db"
)

const (
	notifyChannel   = "message_service_changes"
	notifyMaxBytes  = 7900                 // Postgres takes less than 8,000
	notifyInterval  = 5 * time.Millisecond // at least, between two notifications
	notifyMaxUsers  = 100_000              // that wait; of more, Poll will tell
	notifyRetryWait = time.Second          // after one that failed
)

// Notify is the bus between the processes on one Postgres: NOTIFY carries the ids of
// the users, many at a time, and each process listens on one connection.
type Notify struct {
	db   *db.DB
	log  *slog.Logger
	self string // begins what this process sends, which it need not hear

	mu      sync.Mutex
	waiting map[string]struct{}
	ready   chan struct{} // holds one when somebody waits
}

// NewNotify makes the bus of a Postgres database.
func NewNotify(database *db.DB, log *slog.Logger) *Notify {
	return &Notify{db: database, log: log, self: rand.Text(), waiting: map[string]struct{}{}, ready: make(chan struct{}, 1)}
}

// Publish leaves the users to be sent.
func (b *Notify) Publish(users []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, user := range users {
		if len(b.waiting) < notifyMaxUsers {
			b.waiting[user] = struct{}{}
		}
	}
	signal(b.ready)
}

// Run sends and listens until ctx ends.
func (b *Notify) Run(ctx context.Context, wake func(users []string)) {
	var sending sync.WaitGroup
	sending.Go(func() { b.send(ctx) })
	defer sending.Wait()
	heard := func(payload string) {
		if users := strings.Fields(payload); len(users) > 1 && users[0] != b.self {
			wake(users[1:])
		}
	}
	var said atomic.Int32 // 1: that a connection is lost, 2: that there is no other
	missed := func() {
		if said.Swap(0) > 0 {
			b.log.Info("listening to Postgres again")
		}
		wake(nil)
	}
	lost := func(err error) {
		say := int32(1)
		if errors.Is(err, db.ErrUnavailable) {
			say = 2
		}
		if said.Load() < say {
			said.Store(say)
			b.log.Warn("changes by other servers arrive late: cannot listen to Postgres", "error", err)
		}
	}
	for ctx.Err() == nil && !b.isDeaf() {
		if err := b.db.Listen(ctx, notifyChannel, heard, missed, lost); err != nil {
			lost(err)
			pause(ctx, 30*notifyRetryWait)
		}
	}
}

// isDeaf reports whether nobody can listen, as there is a pooler in between.
func (b *Notify) isDeaf() bool {
	select {
	case <-b.db.PoolerFound():
		return true
	default:
		return false
	}
}

func (b *Notify) send(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.db.PoolerFound():
			return
		case <-b.ready:
		}
		wait := notifyInterval
		for _, payload := range b.take() {
			if err := b.db.Notify(ctx, notifyChannel, payload); err != nil {
				b.log.Debug("notification not sent", "error", err)
				wait = notifyRetryWait
				break
			}
		}
		pause(ctx, wait)
	}
}

// take returns all that wait, as payloads. No user id has a space.
func (b *Notify) take() (payloads []string) {
	b.mu.Lock()
	waiting := b.waiting
	b.waiting = make(map[string]struct{})
	b.mu.Unlock()
	var payload strings.Builder
	for user := range waiting {
		if payload.Len()+1+len(user) > notifyMaxBytes {
			payloads = append(payloads, payload.String())
			payload.Reset()
		}
		if payload.Len() == 0 {
			payload.WriteString(b.self)
		}
		payload.WriteString(" " + user)
	}
	if payload.Len() > 0 {
		payloads = append(payloads, payload.String())
	}
	return payloads
}

// signal leaves a sign, if there is none.
func signal(sign chan<- struct{}) {
	select {
	case sign <- struct{}{}:
	default:
	}
}

// pause waits, but no longer than ctx lasts.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
