package feed

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/message-service/message-service/internal/messaging"
)

// store is a [Source] in memory that behaves as the database does: a page is a snapshot, ends
// after a bounded scan over edited changes, and takes a while.
type store struct {
	mu      sync.Mutex
	feeds   map[string][]entry // by address
	clocks  map[string]messaging.Position
	newest  uint64
	groups  map[string]map[string][]period // the memberships of each user, by group
	delay   func() time.Duration           // of a read; may be nil
	failure error

	// What has been read.
	pages  []int // the limits of single feeds
	plural []int // of how many feeds each
	asked  []int // of how many positions each
	shared []int // of how many groups each
}

// entry is a change, or the place that an edited change had before.
type entry struct {
	messaging.Change
	gone bool
	of   string // whose membership it is of, and in which group
}

func newStore() *store {
	return &store{feeds: map[string][]entry{}, clocks: map[string]messaging.Position{}, groups: map[string]map[string][]period{}}
}

// storeWalk is how many entries a page scans.
const storeWalk = 200

// cursor makes an id from a number.
func cursor(n uint64) (id messaging.ID) {
	binary.BigEndian.PutUint64(id[:], n)
	return id
}

// add changes the mailbox of a user, once for each text.
func (s *store) add(user string, texts ...string) {
	for _, text := range texts {
		s.commit(user, false, text)
	}
}

// next makes the next id.
func (s *store) next() messaging.ID {
	s.newest++
	return cursor(s.newest)
}

// edit moves a change to the end of its feed.
func (s *store) edit(user string, index int) {
	s.mu.Lock()
	e := &s.feeds[user][index]
	if e.gone || e.Message == nil {
		s.mu.Unlock()
		return
	}
	e.gone = true
	text := e.Message.Text
	s.mu.Unlock()
	s.add(user, text)
}

// length is how many changes there have been in a feed.
func (s *store) length(user string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.feeds[user])
}

// clock is the present cursor.
func (s *store) clock(user string) messaging.ID {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.clocks[user].Clock
}

// stored is what is in a feed now, after a cursor.
func (s *store) stored(user string, after messaging.ID) (changes []messaging.Change) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.all(user) {
		if !e.gone && e.Cursor.Compare(after) > 0 {
			changes = append(changes, e.Change)
		}
	}
	return changes
}

func (s *store) page(user string, after messaging.ID, limit, maxBytes int) messaging.ChangePage {
	page := messaging.ChangePage{Counts: s.clocks[user].Counts}
	walked, size := 0, 0
	for _, e := range s.all(user) {
		switch {
		case e.Cursor.Compare(after) <= 0:
			continue
		case walked == storeWalk || len(page.Changes) == limit || size > maxBytes:
			page.HasMore = true
			return page
		case !e.gone:
			page.Changes = append(page.Changes, e.Change)
			if e.Message != nil {
				size += len(e.Message.Text)
			}
		}
		walked++
		page.Next = e.Cursor
	}
	page.Next = s.clocks[user].Clock
	return page
}

// read notes a reading, of what is stored now, and takes its time.
func (s *store) read(ctx context.Context, note *[]int, n int, look func()) error {
	s.mu.Lock()
	*note = append(*note, n)
	look()
	failure, delay := s.failure, time.Duration(0)
	if s.delay != nil {
		delay = s.delay()
	}
	s.mu.Unlock()
	pause(ctx, delay)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if errors.Is(failure, errPanics) {
		panic(failure)
	}
	return failure
}

// ListChanges reads a feed.
func (s *store) ListChanges(
	ctx context.Context, _ messaging.Caller, user string, after *messaging.ID, limit, maxBytes int,
) (page messaging.ChangePage, err error) {
	err = s.read(ctx, &s.pages, limit, func() {
		if after == nil {
			page.Next = s.clocks[user].Clock
		} else {
			page = s.page(user, *after, limit, maxBytes)
		}
	})
	if err == nil && after != nil && !page.HasMore && after.Compare(page.Next) > 0 {
		err = &messaging.Error{Code: messaging.CursorAhead}
	}
	return page, err
}

// ListChangesOf reads feeds.
func (s *store) ListChangesOf(ctx context.Context, after map[string]messaging.ID, limit, maxBytes int) (map[string]messaging.ChangePage, error) {
	pages := map[string]messaging.ChangePage{}
	err := s.read(ctx, &s.plural, len(after), func() {
		for user, cursor := range after {
			if _, ok := s.clocks[user]; ok {
				pages[user] = s.page(user, cursor, limit, maxBytes)
			}
		}
	})
	return pages, err
}

// Positions reads the ends of feeds.
func (s *store) Positions(ctx context.Context, users []string) (map[string]messaging.Position, error) {
	positions := map[string]messaging.Position{}
	err := s.read(ctx, &s.asked, len(users), func() {
		for _, user := range users {
			if position, ok := s.clocks[user]; ok {
				positions[user] = position
			}
		}
	})
	return positions, err
}

// readings forgets what has been read, and returns it.
func (s *store) readings() (pages, plural, asked []int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	pages, plural, asked = s.pages, s.plural, s.asked
	s.pages, s.plural, s.asked, s.shared = nil, nil, nil, nil
	return pages, plural, asked
}

// fail lets every reading fail, or none.
func (s *store) fail(failure error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failure = failure
}

// slow delays the result of the next read, which is the snapshot at its start.
func (s *store) slow(next time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.delay = func() time.Duration {
		s.delay = nil
		return next
	}
}

// followed is a hub that reads from a store, in a bubble.
type followed struct {
	*store

	bus Local
	hub *Hub
	log bytes.Buffer
}

// follow starts a hub until the test ends.
func follow(options Options) *followed {
	f := &followed{store: newStore()}
	f.hub = Start(f.store, &f.bus, slog.New(slog.NewTextHandler(&f.log, nil)), options)
	synctest.Wait() // until the bus is connected
	return f
}

// inBubble runs a test with a hub, within a bubble.
func inBubble(t *testing.T, options Options, test func(t *testing.T, f *followed)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := follow(options)
		defer f.hub.Close()
		test(t, f)
	})
}

// publish changes the mailbox of a user and publishes it.
func (f *followed) publish(user string, texts ...string) {
	f.add(user, texts...)
	f.bus.Publish([]string{user}, nil)
}

// open opens a stream, which must be closed.
func (f *followed) open(t *testing.T, user string, after *messaging.ID) *Stream {
	t.Helper()
	s, err := f.hub.Open(t.Context(), messaging.AsService, user, after)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// expect expects the next changes of a stream, and no more.
func expect(t *testing.T, s *Stream, want ...string) {
	t.Helper()
	var got []string
	for len(got) < len(want) {
		changes, err := s.Next(t.Context(), time.Time{})
		if err != nil {
			t.Fatalf("%v after %q, want %q", err, got, want)
		}
		for _, c := range changes {
			got = append(got, textOf(c))
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("the stream brought %q, want %q", got, want)
	}
}

// numbers are the texts from one number to before another.
func numbers(from, to int) (texts []string) {
	for n := from; n < to; n++ {
		texts = append(texts, strconv.Itoa(n))
	}
	return texts
}

// textOf is the text of a message, or the user and state of a membership.
func textOf(c messaging.Change) string {
	if c.Membership != nil {
		return c.Membership.User + " " + string(c.Membership.State)
	}
	return c.Message.Text
}
