package feed

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/message-service/message-service/internal/messaging"
)

// ErrClosing is what a stream ends with when the server stops.
var ErrClosing = errors.New("the server is shutting down")

// pageLimit and pageBytes are how many changes a stream reads at a time, and about how much of
// JSON: it keeps them until its client has read them.
const (
	pageLimit = 100
	pageBytes = 16 << 10
)

// How much waits for a stream that is being written, and for all of them. One that does
// not keep up reads from the database what it cannot be handed.
const (
	streamMaxPending      = 64 // changes
	streamMaxPendingBytes = 32 << 10
	hubMaxPendingBytes    = 8 << 20
)

// bytesOf is about what changes take in memory.
func bytesOf(changes []messaging.Change) (n int) {
	for _, c := range changes {
		n += 256
		if c.Message != nil {
			n += len(c.Message.Text) + len(c.Message.Metadata)
		}
	}
	return n
}

// Stream follows the feed of a user. Except for what the hub does, it is not for
// concurrent use.
type Stream struct {
	// Start is the cursor it follows from.
	Start messaging.ID

	hub     *Hub
	mailbox *mailbox
	cursor  messaging.ID       // nothing up to it is still to come
	from    messaging.ID       // the cursor before what was returned last
	first   []messaging.Change // read when it was opened
	behind  bool               // it is to read from the database
	limit   int                // of changes, when it reads next
	live    bool               // the hub hands it what changes

	mu      sync.Mutex
	pending []messaging.Change
	bytes   int           // of those
	lost    bool          // more was pending than may
	ready   chan struct{} // holds one when something is pending
}

// Open opens a stream of what changes for a user after a cursor, or without one from
// now on. Close it. Errors: [messaging.TooManyStreams]; as
// [messaging.Service.ListChanges].
func (h *Hub) Open(ctx context.Context, user string, after *messaging.ID) (*Stream, error) {
	m, err := h.enter(user)
	if err != nil {
		return nil, err
	}
	s := &Stream{hub: h, mailbox: m, ready: make(chan struct{}, 1), behind: true, limit: pageLimit}
	page, err := h.source.ListChanges(ctx, user, after, s.limit, pageBytes)
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

// enter counts a stream.
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
		delete(h.mailboxes, m.user)
	}
}

// waitPages is how many pages a wait reads at most: they are empty where many messages were
// edited, of which a mailbox may have any number, and the client can ask to go on.
const waitPages = 3

// Wait waits for a change of a user after a cursor, as long as ctx lasts, until the hub is
// drained, or until it has read some empty pages with more after them, and returns the cursor
// from which to read: there is nothing between the two. Errors: as [Hub.Open].
func (h *Hub) Wait(ctx context.Context, user string, after messaging.ID) (messaging.ID, error) {
	s, err := h.Open(ctx, user, &after)
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
		_, err = s.Next(ctx)
	}
	if errors.Is(err, ErrClosing) || errors.Is(err, context.DeadlineExceeded) {
		err = nil
	}
	return s.from, err
}

// Draining ends when the stream is to end because the server stops.
func (s *Stream) Draining() context.Context { return s.hub.draining }

// Next waits for changes and returns them, in their order and at least one. Errors:
// [ErrClosing]; [messaging.Unavailable], after which it may be called again; that of ctx.
func (s *Stream) Next(ctx context.Context) ([]messaging.Change, error) {
	for {
		if s.hub.draining.Err() != nil { // also in the middle of what there is: it is resumed
			return nil, ErrClosing
		}
		changes, err := s.take(ctx)
		if err != nil || len(changes) > 0 {
			return changes, err
		}
		if s.behind {
			continue
		}
		select {
		case <-s.ready:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-s.hub.draining.Done():
			return nil, ErrClosing
		}
	}
}

// take returns what there is without waiting for a change.
func (s *Stream) take(ctx context.Context) ([]messaging.Change, error) {
	if first := s.first; len(first) > 0 {
		s.first = nil
		return first, nil
	}
	s.from = s.cursor
	if s.behind {
		page, err := s.hub.source.ListChanges(ctx, s.mailbox.user, &s.cursor, s.limit, pageBytes)
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
	// What it has read by itself may be among what it was handed.
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

// advance goes on behind a page. At the end of the feed the hub takes over.
//
// The database reads as many changes as it is asked for, also where fewer fill the page since
// their texts are long. So a stream asks next for not many more than it got.
func (s *Stream) advance(page messaging.ChangePage) {
	s.cursor, s.limit = page.Next, pageLimit
	if n := len(page.Changes); page.HasMore && n > 0 {
		s.limit = min(2*n, pageLimit)
	}
	s.behind = page.HasMore || !s.join()
}

// join lets the hub hand the stream what changes, and tells whether that leaves no gap
// behind the stream's cursor: the hub may have handed others more before. Then one
// more page fills it.
func (s *Stream) join() bool {
	h, m := s.hub, s.mailbox
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.live {
		return true
	}
	s.live = true
	if len(m.live) == 0 { // the hub reads for this one, from here; there may be more since
		m.cursor = s.cursor
		h.woken[m] = struct{}{}
		signal(h.ready)
	}
	m.live = append(m.live, s)
	return m.cursor.Compare(s.cursor) <= 0
}

// push hands over changes, on behalf of the hub, or lets the stream read for itself.
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
	signal(s.ready)
}

// drop forgets what is pending. It is called with mu locked.
func (s *Stream) drop() {
	s.hub.pending.Add(-int64(s.bytes))
	s.pending, s.bytes = nil, 0
}
