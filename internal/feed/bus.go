package feed

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/messaging"
	"github.com/message-service/message-service/internal/panics"
)

// Bus is publish and subscribe: it carries hints that mailboxes have changed, and who is typing, to the hubs.
type Bus interface {
	// Publish announces the addresses whose mailboxes have changed, and what was stored in some of them, which only
	// this process is told. It does not block.
	Publish(addresses []string, stored map[string]messaging.Stored)

	// Followed returns those of some users of whom Publish is to be told what was stored.
	Followed(users []string) []string

	// PublishTyping announces who is typing. It does not block.
	PublishTyping(typing messaging.Typing)

	// Run hands on what others publish until ctx ends.
	Run(ctx context.Context, to Receiver)
}

// Receiver is what a bus hands on to.
type Receiver struct {
	// Wake is told whose mailboxes may have changed, or nil if any may have, and what was stored in some of them.
	Wake     func(addresses []string, stored map[string]messaging.Stored)
	Followed func(users []string) []string
	Typing   func(typing messaging.Typing)

	Log *slog.Logger // for the panics of a bus
}

// Buses are several buses, so that one delivers hints that another loses.
type Buses []Bus

// Publish publishes on each.
func (b Buses) Publish(addresses []string, stored map[string]messaging.Stored) {
	for _, bus := range b {
		bus.Publish(addresses, stored)
	}
}

// Followed asks each.
func (b Buses) Followed(users []string) (followed []string) {
	for _, bus := range b {
		followed = append(followed, bus.Followed(users)...)
	}
	return followed
}

// PublishTyping publishes on each.
func (b Buses) PublishTyping(typing messaging.Typing) {
	for _, bus := range b {
		bus.PublishTyping(typing)
	}
}

// Run runs each until ctx ends.
func (b Buses) Run(ctx context.Context, to Receiver) {
	var running sync.WaitGroup
	for _, bus := range b {
		running.Go(func() { runBus(ctx, bus, to) })
	}
	running.Wait()
}

// runBus runs a bus until ctx ends, also after a panic.
func runBus(ctx context.Context, bus Bus, to Receiver) {
	panics.Restart(ctx, to.Log, fmt.Sprintf("the bus %T", bus), func(ctx context.Context) { bus.Run(ctx, to) })
}

// NewBus makes the buses for a database, with NOTIFY if notify is set and the database has it.
func NewBus(database *db.DB, notify bool, log *slog.Logger) Bus {
	buses := Buses{&Local{}, &Poll{DB: database}}
	if notify && database.CanNotify() {
		buses = append(buses, NewNotify(database, log))
	}
	return buses
}

// Local is the bus within a process.
type Local struct {
	to atomic.Pointer[Receiver] // the hub, if there is one yet
}

// Publish wakes the hub.
func (b *Local) Publish(addresses []string, stored map[string]messaging.Stored) {
	if to := b.to.Load(); to != nil {
		to.Wake(addresses, stored)
	}
}

// Followed asks the hub.
func (b *Local) Followed(users []string) []string {
	if to := b.to.Load(); to != nil {
		return to.Followed(users)
	}
	return nil
}

// PublishTyping tells the hub.
func (b *Local) PublishTyping(typing messaging.Typing) {
	if to := b.to.Load(); to != nil {
		to.Typing(typing)
	}
}

// Run connects the hub until ctx ends.
func (b *Local) Run(ctx context.Context, to Receiver) {
	b.to.Store(&to)
	<-ctx.Done()
	b.to.Store(nil)
}

// PollInterval is the longest delay of a change whose hint was lost, apart from the time to read it.
const PollInterval = 2 * time.Second

// Poll is a bus for databases without NOTIFY, and for hints that other buses lose: it polls the
// database for any commit.
type Poll struct {
	DB *db.DB
}

// Publish does nothing: Run polls the database.
func (*Poll) Publish([]string, map[string]messaging.Stored) {}

// Followed returns none.
func (*Poll) Followed([]string) []string { return nil }

// PublishTyping does nothing: who is typing is not in the database.
func (*Poll) PublishTyping(messaging.Typing) {}

// Run wakes all mailboxes after each interval in which something was committed.
func (b *Poll) Run(ctx context.Context, to Receiver) {
	watch := b.DB.NewWatch()
	defer watch.Close() //nolint:errcheck // it only returns a connection
	ticker := time.NewTicker(PollInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		// After an error, anything may have changed.
		if changed, err := watch.Changed(ctx); changed || err != nil {
			to.Wake(nil, nil)
		}
	}
}
