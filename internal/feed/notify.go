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
	"github.com/message-service/message-service/internal/messaging"
	"github.com/message-service/message-service/internal/panics"
)

const (
	notifyChannel    = "message_service_changes"
	notifyMaxBytes   = 7900                 // Postgres' limit is 8,000
	notifyInterval   = 5 * time.Millisecond // the least time between two rounds of notifications
	notifyMost       = 100_000              // addresses that wait to be sent; Poll makes up for more
	notifyMostTyping = 100                  // payloads about typing that wait; more are dropped, since changes wait for them
	notifyRetryWait  = time.Second          // after a notification that failed
)

// Notify is the bus between the processes on one Postgres: NOTIFY carries the addresses of
// mailboxes, many at a time, and who is typing, and each process listens on one connection.
type Notify struct {
	db   *db.DB
	log  *slog.Logger
	self string // the first word of this process's payloads, by which it ignores them

	mu      sync.Mutex
	waiting map[string]struct{}
	typing  []string      // payloads
	ready   chan struct{} // holds one when something waits to be sent
}

// NewNotify makes the bus of a Postgres database.
func NewNotify(database *db.DB, log *slog.Logger) *Notify {
	return &Notify{db: database, log: log, self: rand.Text(), waiting: map[string]struct{}{}, ready: make(chan struct{}, 1)}
}

// Publish queues the addresses to be sent.
func (b *Notify) Publish(addresses []string, _ map[string]messaging.Stored) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, address := range addresses {
		if len(b.waiting) < notifyMost {
			b.waiting[address] = struct{}{}
		}
	}
	signal(b.ready)
}

// Followed returns none.
func (*Notify) Followed([]string) []string { return nil }

// PublishTyping queues who is typing to be sent, with the recipients, since only they may know.
func (b *Notify) PublishTyping(typing messaging.Typing) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, payload := range typingPayloads(b.self, typing) {
		if len(b.typing) < notifyMostTyping {
			b.typing = append(b.typing, payload)
		}
	}
	signal(b.ready)
}

// Run sends and listens until ctx ends.
func (b *Notify) Run(ctx context.Context, to Receiver) {
	ctx, stop := context.WithCancel(ctx)
	var sending sync.WaitGroup
	defer sending.Wait()
	defer stop() // also after a panic, which would otherwise wait
	sending.Go(func() { panics.Restart(ctx, b.log, "the sender of notifications", b.send) })
	heard := func(payload string) {
		words := strings.Fields(payload)
		if len(words) < 2 || words[0] == b.self {
			return
		}
		if words[1] != typingMark {
			to.Wake(words[1:], nil)
		} else if typing, ok := parseTyping(words[2:]); ok {
			to.Typing(typing)
		}
	}
	var said atomic.Int32 // the last warning in the log: 1 connection lost, 2 cannot connect, 0 none
	missed := func() {
		if said.Swap(0) > 0 {
			b.log.Info("listening to Postgres again")
		}
		to.Wake(nil, nil)
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
	for ctx.Err() == nil && !b.hasPooler() {
		if err := b.db.Listen(ctx, notifyChannel, heard, missed, lost); err != nil {
			lost(err)
			pause(ctx, 30*notifyRetryWait)
		}
	}
}

// hasPooler reports whether a pooler was detected, through which LISTEN does not work.
func (b *Notify) hasPooler() bool {
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

// take returns what waits, as payloads: words separated by spaces, which no address has. Those about typing come last: each
// takes a round trip, and no change is to wait for them.
func (b *Notify) take() (payloads []string) {
	b.mu.Lock()
	waiting, typing := b.waiting, b.typing
	b.waiting, b.typing = make(map[string]struct{}), nil
	b.mu.Unlock()
	var payload strings.Builder
	for address := range waiting {
		if payload.Len()+1+len(address) > notifyMaxBytes {
			payloads = append(payloads, payload.String())
			payload.Reset()
		}
		if payload.Len() == 0 {
			payload.WriteString(b.self)
		}
		payload.WriteString(" " + address)
	}
	if payload.Len() > 0 {
		payloads = append(payloads, payload.String())
	}
	return append(payloads, typing...)
}

// signal fills a channel of capacity one, unless it is full.
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
