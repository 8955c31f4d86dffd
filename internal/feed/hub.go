package feed

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/message-service/message-service/internal/messaging"
	"github.com/message-service/message-service/internal/panics"
	"github.com/message-service/message-service/internal/recent"
)

// UserMaxStreams is how many streams a user may have on one server.
const UserMaxStreams = 10

const (
	readMost     = 200                    // the most mailboxes that one statement reads
	readLimit    = 20                     // the most changes of each that it reads
	readInterval = 5 * time.Millisecond   // the least time between two rounds of reading
	retryWait    = 500 * time.Millisecond // after a round that failed
)

// Source is what a hub reads feeds from: the part of [messaging.Service] that it needs.
type Source interface {
	ListChanges(ctx context.Context, caller messaging.Caller, user string, after *messaging.ID, limit, maxBytes int) (messaging.ChangePage, error)
	ListChangesOf(ctx context.Context, after map[string]messaging.ID, limit, maxBytes int) (map[string]messaging.ChangePage, error)
	ListGroupChanges(ctx context.Context, after map[string]messaging.ID) (map[string][]messaging.Change, error)
	ListMemberships(ctx context.Context, users []string) (map[string]map[string]messaging.ID, error)
	Positions(ctx context.Context, users []string) (map[string]messaging.Position, error)
}

// DefaultMaxStreams is how many streams all users may have by default.
const DefaultMaxStreams = 20_000

// Options adjusts a [Hub].
type Options struct {
	MaxStreams int // of all users; [DefaultMaxStreams] if 0
}

// Hub hands the changes of mailboxes to the streams that follow them. It is safe for
// concurrent use.
type Hub struct {
	source  Source
	bus     Bus
	log     *slog.Logger
	max     int
	running sync.WaitGroup
	ready   chan struct{} // holds one when there is something to read
	asking  chan struct{} // holds one when any mailbox may have changed

	draining context.Context // ends when streams are to end
	drain    context.CancelFunc
	endBus   context.CancelFunc

	typingMu sync.Mutex
	typed    *recent.Map[typist, time.Time] // when the last event was published

	pending   atomic.Int64   // bytes of the changes that are pending in all streams
	opened    sync.WaitGroup // of the open streams
	mu        sync.Mutex
	streams   int
	mailboxes map[string]*mailbox
	woken     map[*mailbox]struct{} // to be read
	groups    map[string]*group     // that mailboxes are in
	changed   map[*group]struct{}   // groups to be read
}

// mailbox is the mailbox of a user who has streams.
type mailbox struct {
	user   string
	open   int          // the number of its streams
	live   []*Stream    // the streams that have caught up
	cursor messaging.ID // the hub has handed all changes up to it to the live streams

	counts  messaging.Counts        // what it counted at the cursor
	counted bool                    // counts are known
	groups  map[string]messaging.ID // that the user is in at the cursor, with the first ids of messages that they may see; nil if not known
}

// Start makes a hub that reads from the source and is woken by the bus. Close it
// before the database.
func Start(source Source, bus Bus, log *slog.Logger, options Options) *Hub {
	if options.MaxStreams == 0 {
		options.MaxStreams = DefaultMaxStreams
	}
	ctx, drain := context.WithCancel(context.Background())
	busCtx, endBus := context.WithCancel(context.Background())
	h := &Hub{
		source: source, bus: bus, typed: recent.New[typist, time.Time](typingMost), log: log, max: options.MaxStreams,
		ready: make(chan struct{}, 1), asking: make(chan struct{}, 1), draining: ctx, drain: drain, endBus: endBus,
		mailboxes: map[string]*mailbox{}, woken: map[*mailbox]struct{}{},
		groups: map[string]*group{}, changed: map[*group]struct{}{},
	}
	h.running.Go(func() {
		runBus(busCtx, bus, Receiver{Wake: h.wake, Followed: h.followed, Typing: h.handTyping, Log: log})
	})
	h.running.Go(func() { h.run(ctx, h.ready, h.read) })
	h.running.Go(func() { h.run(ctx, h.asking, h.findChanged) }) // in parallel, as it takes long with many mailboxes
	return h
}

// Streams is the number of open streams.
func (h *Hub) Streams() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.streams
}

// MaxStreams is the most streams that may be open.
func (h *Hub) MaxStreams() int { return h.max }

// End drains the hub and waits until its streams have ended, or ctx has.
func (h *Hub) End(ctx context.Context) error {
	h.Drain()
	ended := make(chan struct{})
	go func() {
		h.opened.Wait()
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done(): // possibly from the start, although no stream is open
		if open := h.Streams(); open > 0 {
			return fmt.Errorf("%d streams have not ended: %w", open, ctx.Err())
		}
		return nil
	}
}

// Drain ends the streams, refuses new ones, and stops reading, without waiting.
func (h *Hub) Drain() {
	h.mu.Lock() // so that End waits for every stream that entered before
	defer h.mu.Unlock()
	h.drain()
}

// Close drains the hub, ends its bus, which until then still publishes to other hubs, and waits until
// the hub has stopped reading.
func (h *Hub) Close() {
	h.Drain()
	h.endBus()
	h.running.Wait()
}

// wake records that the mailboxes at some addresses may have changed, or with nil any mailbox, and hands on what was
// stored in some of them.
func (h *Hub) wake(addresses []string, stored map[string]messaging.Stored) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if addresses == nil {
		signal(h.asking)
	}
	for user, in := range stored {
		if m, ok := h.mailboxes[user]; ok && !m.take(in) {
			h.wakeLive(m)
		}
	}
	for _, address := range addresses {
		_, known := stored[address]
		if m, ok := h.mailboxes[address]; ok && !known {
			h.wakeLive(m)
		}
		if g, ok := h.groups[address]; ok {
			h.changed[g] = struct{}{}
		}
	}
	h.readIfWoken()
}

// readIfWoken has the hub read, if there is something to read. mu must be locked.
func (h *Hub) readIfWoken() {
	if len(h.woken) > 0 || len(h.changed) > 0 {
		signal(h.ready)
	}
}

// run calls read for each signal. Hints that arrive during a read are coalesced into the next one.
func (h *Hub) run(ctx context.Context, sign <-chan struct{}, read func(context.Context) error) {
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-sign:
		}
		wait := readInterval
		err := func() (err error) {
			defer panics.AsError(&err)
			return read(ctx)
		}()
		if err != nil {
			wait = retryWait
			h.wake(nil, nil) // the mailboxes that it took are no longer marked
		}
		if failing != (err != nil) && ctx.Err() == nil {
			if failing = err != nil; failing {
				h.log.Warn("changes cannot be read; streams wait", "error", err)
			} else {
				h.log.Info("changes can be read again")
			}
		}
		pause(ctx, wait)
	}
}

// read reads some of the woken mailboxes, and some of the groups that have changed.
func (h *Hub) read(ctx context.Context) error {
	if err := h.readMailboxes(ctx); err != nil {
		return err
	}
	return h.readGroups(ctx)
}

// findChanged reads the clocks of all mailboxes and wakes those that have changed. It reads
// few at a time, so as not to delay the reads of changes.
func (h *Hub) findChanged(ctx context.Context) error {
	h.mu.Lock()
	users := slices.Collect(maps.Keys(h.mailboxes))
	h.mu.Unlock()
	for some := range slices.Chunk(users, readMost) {
		positions, err := h.source.Positions(ctx, some)
		if err != nil {
			return err
		}
		h.wakeBehind(positions)
		pause(ctx, readInterval)
	}
	return nil
}

// wakeBehind wakes the mailboxes whose clocks differ from their cursors, and those that were not read to the end.
func (h *Hub) wakeBehind(positions map[string]messaging.Position) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for user, position := range positions {
		if m, ok := h.mailboxes[user]; ok && (position.Clock != m.cursor || !m.counted) {
			h.wakeLive(m)
		}
	}
	h.readIfWoken()
}
