package feed

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/message-service/message-service/internal/db"
)

// Bus is publish and subscribe: it carries hints that mailboxes have changed to the hubs.
type Bus interface {
	// Publish announces whose mailboxes have changed. It does not block.
	Publish(users []string)

	// Run calls wake with the users whose mailboxes may have changed, or with nil if any
	// mailbox may have, until ctx ends.
	Run(ctx context.Context, wake func(users []string))
}

// Buses are several buses, so that one delivers hints that another loses.
type Buses []Bus

// Publish publishes on each.
func (b Buses) Publish(users []string) {
	for _, bus := range b {
		bus.Publish(users)
	}
}

// Run runs each until ctx ends.
func (b Buses) Run(ctx context.Context, wake func(users []string)) {
	var running sync.WaitGroup
	for _, bus := range b {
		running.Go(func() { bus.Run(ctx, wake) })
	}
	running.Wait()
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
	wake atomic.Pointer[func(users []string)]
}

// Publish wakes the hub, if there is one yet.
func (b *Local) Publish(users []string) {
	if wake := b.wake.Load(); wake != nil {
		(*wake)(users)
	}
}

// Run connects the hub until ctx ends.
func (b *Local) Run(ctx context.Context, wake func(users []string)) {
	b.wake.Store(&wake)
	<-ctx.Done()
	b.wake.Store(nil)
}

// PollInterval is the longest delay of a change whose hint was lost, apart from the time to read it.
const PollInterval = 2 * time.Second

// Poll is a bus for databases without NOTIFY, and for hints that other buses lose: it polls the
// database for any commit.
type Poll struct {
	DB *db.DB
}

// Publish does nothing: Run polls the database.
func (*Poll) Publish([]string) {}

// Run calls wake with nil after each interval in which something was committed.
func (b *Poll) Run(ctx context.Context, wake func(users []string)) {
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
			wake(nil)
		}
	}
}
