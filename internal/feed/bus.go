package feed

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/message-service/message-service/internal/db"
)

// Bus carries the hint that mailboxes have changed, between those who change them and
// the hubs.
type Bus interface {
	// Publish tells whose mailboxes have changed. It does not block.
	Publish(users []string)

	// Run calls wake with those whose mailboxes may have changed, and with nil where
	// it may be anyone's, until ctx ends.
	Run(ctx context.Context, wake func(users []string))
}

// Buses are several buses, so that one finds out what another loses.
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

// NewBus makes the buses that suit a database, with NOTIFY if it has that and it is wanted.
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

// PollInterval is how long a hint that was lost delays a change at most, but for the
// time of reading it.
const PollInterval = 2 * time.Second

// Poll is a bus for databases that have none, and for what others lose: it asks the
// database whether anything has changed.
type Poll struct {
	DB *db.DB
}

// Publish does nothing: the database tells.
func (*Poll) Publish([]string) {}

// Run wakes everyone after each interval in which something was committed.
func (b *Poll) Run(ctx context.Context, wake func(users []string)) {
	watch := b.DB.NewWatch()
	defer watch.Close() //nolint:errcheck // a connection that is given back
	ticker := time.NewTicker(PollInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		// Where nothing is known, anything may have changed.
		if changed, err := watch.Changed(ctx); changed || err != nil {
			wake(nil)
		}
	}
}
