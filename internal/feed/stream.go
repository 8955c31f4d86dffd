package feed

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/message-service/message-service/internal/messaging"
)

// ErrClosing is what a stream ends with when the server stops.
var ErrClosing = errors.New("the server is shutting down")

// pageLimit and pageBytes bound a page that a stream reads, in changes and bytes of JSON. The page
// stays in memory until the client has read it.
const (
	pageLimit = 100
	pageBytes = 16 << 10
)

// The bounds of what is pending in a stream, and in all streams. A stream that exceeds them drops
// what is pending and reads it from the database.
const (
	streamMaxPending      = 64 // changes
	streamMaxPendingBytes = 32 << 10
	hubMaxPendingBytes    = 8 << 20
)

// bytesOf estimates the memory of changes, in bytes.
func bytesOf(changes []messaging.Change) (n int) {
	for _, c := range changes {
		n += 256
		if c.Message != nil {
			n += len(c.Message.Text) + len(c.Message.Metadata)
		}
	}
	return n
}

// Stream follows the feed of a user. Its methods are not safe for concurrent use.
type Stream struct {
	// Start is the cursor from which it follows.
	Start messaging.ID

	hub     *Hub
	mailbox *mailbox
	cursor  messaging.ID       // all changes up to it have been returned
	from    messaging.ID       // the cursor before the changes that were returned last
	first   []messaging.Change // the page that was read when the stream was opened
	behind  bool               // the next changes must be read from the database
	limit   int                // the most changes of the next page
	live    bool               // the hub hands it changes

	hearsTyping bool // the hub hands it who is typing

	mu      sync.Mutex
	pending []messaging.Change
	bytes   int  // the estimated memory of pending
	lost    bool // pending exceeded its bounds and was dropped, or the store was restored
	typing  []messaging.Typing
	waiter  Waiter // is woken when changes are pending or lost, or somebody is typing
}

// Open opens a stream of what changes for a user after a cursor, or without one from
// now on, on behalf of a caller. Close it. Errors: [messaging.TooManyStreams]; as
// [messaging.Service.ListChanges].
func (h *Hub) Open(ctx context.Context, caller messaging.Caller, user string, after *messaging.ID) (*Stream, error) {
	return h.open(ctx, caller, user, after, true)
}

func (h *Hub) open(ctx context.Context, caller messaging.Caller, user string, after *messaging.ID, typing bool) (*Stream, error) {
	if err := caller.ActsAs(user, "userId"); err != nil {
		return nil, err
	}
	m, err := h.enter(user)
	if err != nil {
		return nil, err
	}
	s := &Stream{hub: h, mailbox: m, waiter: &channel{make(chan struct{}, 1), h.draining}, behind: true, limit: pageLimit, hearsTyping: typing}
	page, err := h.source.ListChanges(ctx, messaging.AsService, user, after, s.limit, pageBytes)
	if err != nil {
		s.Close()
		return nil, err
	}
	s.Start = page.Next
	if after != nil {
		s.Start = *after
	}
	s.from, s.first = s.Start, page.Changes
	s.advance(page)
	return s, nil
}

// enter counts a stream of a user, if there is room for one.
func (h *Hub) enter(user string) (*mailbox, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	m, ok := h.mailboxes[user]
	switch {
	case h.draining.Err() != nil:
		return nil, &messaging.Error{Code: messaging.Unavailable, Message: "The server is shutting down."}
	case h.streams == h.max:
		return nil, &messaging.Error{Code: messaging.TooManyStreams, Message: "This server has as many streams as are allowed."}
	case !ok:
		m = &mailbox{user: user}
		h.mailboxes[user] = m
	case m.open == UserMaxStreams:
		return nil, &messaging.Error{Code: messaging.TooManyStreams, Message: "This user has as many streams on this server as are allowed."}
	}
	h.opened.Add(1)
	h.streams++
	m.open++
	return m, nil
}

// Close ends the stream.
func (s *Stream) Close() {
	h, m := s.hub, s.mailbox
	h.mu.Lock()
	defer h.mu.Unlock()
	m.live = slices.DeleteFunc(m.live, func(other *Stream) bool { return other == s })
	s.mu.Lock()
	s.drop()
	s.mu.Unlock()
	if len(m.live) == 0 {
		delete(h.woken, m)
	}
	h.opened.Done()
	h.streams--
	if m.open--; m.open == 0 {
		h.forgetGroups(m)
		delete(h.mailboxes, m.user)
	}
}

// waitPages bounds the pages that [Hub.Wait] reads. Pages are empty where many messages were
// edited, and a mailbox may have any number of these; the client can go on from the cursor.
const waitPages = 3

// Wait waits for a change of a user after a cursor, and returns a cursor from which to read it:
// there are no changes between the two. It stops waiting when ctx ends, when the hub is drained,
// or after waitPages empty pages. Errors: as [Hub.Open].
func (h *Hub) Wait(ctx context.Context, caller messaging.Caller, user string, after messaging.ID) (messaging.ID, error) {
	s, err := h.open(ctx, caller, user, &after, false)
	if err != nil {
		return messaging.ID{}, err
	}
	defer s.Close()
	for read := 1; err == nil && s.behind && len(s.first) == 0; read++ {
		if read == waitPages {
			return s.cursor, nil
		}
		s.first, err = s.take(ctx)
	}
	if err == nil {
		_, err = s.Next(ctx, time.Time{})
	}
	if errors.Is(err, ErrClosing) || errors.Is(err, context.DeadlineExceeded) {
		err = nil
	}
	return s.from, err
}

// Draining returns a context that ends when the server stops, and the stream must end.
func (s *Stream) Draining() context.Context { return s.hub.draining }

// Next waits for changes and returns them, in their order; or none, if somebody is typing. It waits until a time, if that is
// not zero. Errors: [ErrClosing]; [context.DeadlineExceeded] at that time, and [messaging.Unavailable], after which it may be
// called again; that of the [Waiter].
func (s *Stream) Next(ctx context.Context, until time.Time) ([]messaging.Change, error) {
	for {
		if s.hub.draining.Err() != nil { // even if more is there: the client resumes elsewhere
			return nil, ErrClosing
		}
		changes, err := s.take(ctx)
		if err != nil || len(changes) > 0 || s.hasTyping() {
			return changes, err
		}
		if !s.behind {
			err = s.waiter.Wait(ctx, until)
		} else if passed(until) {
			err = context.DeadlineExceeded
		}
		if err != nil {
			return nil, err
		}
	}
}

// passed reports whether a time has come, if it is not zero.
func passed(until time.Time) bool { return !until.IsZero() && !time.Now().Before(until) }

// take returns the changes that are there, without waiting for one.
func (s *Stream) take(ctx context.Context) ([]messaging.Change, error) {
	if first := s.first; len(first) > 0 {
		s.first = nil
		return first, nil
	}
	s.from = s.cursor
	if s.behind {
		page, err := s.hub.source.ListChanges(ctx, messaging.AsService, s.mailbox.user, &s.cursor, s.limit, pageBytes)
		if err != nil {
			return nil, err
		}
		s.advance(page)
		return page.Changes, nil
	}
	s.mu.Lock()
	pending, lost := s.pending, s.lost
	s.drop()
	s.lost = false
	s.mu.Unlock()
	if s.behind = lost; lost {
		return nil, nil
	}
	// The stream may already have read some of the pending changes from the database.
	pending = pending[firstAfter(pending, s.cursor):]
	if len(pending) > 0 {
		s.cursor = pending[len(pending)-1].Cursor
	}
	return pending, nil
}

// firstAfter is the index of the first change after a cursor.
func firstAfter(changes []messaging.Change, cursor messaging.ID) int {
	i, found := slices.BinarySearchFunc(changes, cursor, func(c messaging.Change, cursor messaging.ID) int { return c.Cursor.Compare(cursor) })
	if found {
		i++
	}
	return i
}

// advance moves the cursor past a page. At the end of the feed the hub takes over.
//
// The database reads as many changes as the limit says, even if fewer fill the page since
// their texts are long. So the next limit is at most twice the size of this page.
func (s *Stream) advance(page messaging.ChangePage) {
	s.cursor, s.limit = page.Next, pageLimit
	if n := len(page.Changes); page.HasMore && n > 0 {
		s.limit = min(2*n, pageLimit)
	}
	s.behind = page.HasMore || !s.join()
}

// join makes the stream live, and reports whether the hub hands it all changes after its cursor.
// If the hub's cursor is ahead, the stream must read one more page.
func (s *Stream) join() bool {
	h, m := s.hub, s.mailbox
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.live {
		return true
	}
	s.live = true
	if len(m.live) == 0 { // the hub starts at this cursor, after which there may be changes already
		m.cursor, m.counted = s.cursor, false
		h.forgetGroups(m)
		h.woken[m] = struct{}{}
		signal(h.ready)
	}
	m.live = append(m.live, s)
	return m.cursor.Compare(s.cursor) <= 0
}

// push is called by the hub with changes; with lost, or beyond the bounds, the stream must read
// from the database.
func (s *Stream) push(changes []messaging.Change, bytes int, lost bool) {
	if len(changes) == 0 && !lost {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lost = s.lost || lost || len(s.pending)+len(changes) > streamMaxPending || s.bytes+bytes > streamMaxPendingBytes ||
		s.hub.pending.Load()+int64(bytes) > hubMaxPendingBytes
	if s.lost {
		s.drop()
	} else {
		s.pending = append(s.pending, changes...)
		s.bytes += bytes
		s.hub.pending.Add(int64(bytes))
	}
	s.waiter.Wake()
}

// drop discards the pending changes. mu must be locked.
func (s *Stream) drop() {
	s.hub.pending.Add(-int64(s.bytes))
	s.pending, s.bytes = nil, 0
}
