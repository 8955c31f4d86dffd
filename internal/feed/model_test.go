package feed

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/message-service/message-service/internal/messaging"
)

// TestHubModel changes mailboxes, loses hints, delays reads and makes them fail, and hands over what some transactions have
// stored, but late, twice or not at all, while streams read, are closed and resumed at random: each follower gets every change
// that is stored after its start, once and in order.
func TestHubModel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(struct{ testing.TB }{t}, func(t *rapid.T) { // without the deadline of t, which is in real time
			m := &hubModel{followed: follow(Options{})}
			defer m.hub.Close()
			defer m.closeAll()
			t.Repeat(map[string]func(*rapid.T){
				"add": m.addSome, "hand": m.handSome, "hand more": m.handSome, "edit": m.editSome, "hint": m.hint, "open": m.openOne, "next": m.next, "resume": m.resume,
				"fail": m.failOrNot, "slow": m.slowDown, "sleep": m.sleep,
			})
			m.check(t)
		})
	})
}

// hubModel is a hub, and the streams of three users.
type hubModel struct {
	*followed

	followers []*follower
}

// follower reads a feed by one stream after another.
type follower struct {
	user   string
	stream *Stream
	start  messaging.ID
	got    []messaging.Change
}

// place is the cursor up to which a follower has read.
func (f *follower) place() messaging.ID {
	if len(f.got) == 0 {
		return f.start
	}
	return f.got[len(f.got)-1].Cursor
}

func drawUser(t *rapid.T) string { return fmt.Sprint("user-", rapid.IntRange(0, 2).Draw(t, "user")) }

func drawTime(t *rapid.T, most int) time.Duration {
	return time.Duration(rapid.IntRange(0, most).Draw(t, "ms")) * time.Millisecond
}

func (m *hubModel) addSome(t *rapid.T) {
	user := drawUser(t)
	text := strings.Repeat("x", rapid.SampledFrom([]int{0, 10, 4096}).Draw(t, "length"))
	changes := rapid.SampledFrom([]int{1, 2, readLimit + 1, streamMaxPending + 1, pageLimit + 20}).Draw(t, "changes")
	hint := rapid.Bool().Draw(t, "hint")
	time.AfterFunc(drawTime(t, 100), func() { // while something else is done
		m.add(user, slices.Repeat([]string{text}, changes)...)
		if hint {
			m.bus.Publish([]string{user}, nil)
		}
	})
}

// handSome changes mailboxes within a few intervals of the hub, and hands over what was stored. Some transactions store
// nothing: what they were to store was refused.
func (m *hubModel) handSome(t *rapid.T) {
	for range rapid.IntRange(1, 4).Draw(t, "transactions") {
		user, refused := drawUser(t), rapid.IntRange(0, 4).Draw(t, "refused") == 0
		n := rapid.SampledFrom([]int{1, 1, 2, 3, streamMaxPending + 1}).Draw(t, "messages")
		if refused && rapid.Bool().Draw(t, "all") {
			n = 0
		}
		late, times := drawTime(t, 10), rapid.SampledFrom([]int{0, 1, 1, 1, 1, 2}).Draw(t, "times")
		time.AfterFunc(drawTime(t, 20), func() {
			stored := m.commit(user, refused, slices.Repeat([]string{"handed"}, n)...)
			time.AfterFunc(late, func() {
				for range times {
					m.bus.Publish([]string{user}, map[string]messaging.Stored{user: stored})
				}
			})
		})
	}
}

func (m *hubModel) editSome(t *rapid.T) {
	user := drawUser(t)
	n := m.length(user)
	if n == 0 {
		t.Skip("there is nothing to edit")
	}
	for range rapid.SampledFrom([]int{1, 5, 250}).Draw(t, "edits") {
		m.edit(user, rapid.IntRange(0, n-1).Draw(t, "edited"))
	}
}

func (m *hubModel) hint(t *rapid.T) {
	m.bus.Publish(rapid.SampledFrom([][]string{nil, {"user-0"}, {"user-1", "user-2"}, {"nobody"}, {"~group-0"}, {"~none"}}).Draw(t, "users"), nil)
}

func (m *hubModel) openOne(t *rapid.T) {
	f := &follower{user: drawUser(t)}
	clock := m.clock(f.user)
	f.start = cursor(rapid.Uint64Range(0, binary.BigEndian.Uint64(clock[:])).Draw(t, "after"))
	m.reopen(t, f)
	if f.stream != nil {
		m.followers = append(m.followers, f)
	}
}

// reopen opens the stream of a follower where it was, if it can be.
func (m *hubModel) reopen(t *rapid.T, f *follower) {
	s, err := m.hub.Open(t.Context(), messaging.AsService, f.user, new(f.place()))
	if e, ok := errors.AsType[*messaging.Error](err); ok && (e.Code == messaging.TooManyStreams || errors.Is(e, m.failure)) {
		return
	}
	if err != nil {
		t.Fatalf("a stream after %s: %v", f.place(), err)
	}
	f.stream = s
}

func (m *hubModel) drawFollower(t *rapid.T) *follower {
	if len(m.followers) == 0 {
		t.Skip("there are no followers")
	}
	return rapid.SampledFrom(m.followers).Draw(t, "follower")
}

func (m *hubModel) next(t *rapid.T) {
	f := m.drawFollower(t)
	m.read(t, f)
}

// read reads what comes within a second, and reports whether there was anything.
func (m *hubModel) read(t *rapid.T, f *follower) bool {
	if f.stream == nil {
		m.reopen(t, f)
		if f.stream == nil {
			return false
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	changes, err := f.stream.Next(ctx, time.Time{})
	if err != nil && m.failure == nil && !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a stream after %s: %v", f.place(), err)
	}
	for _, c := range changes {
		if c.Cursor.Compare(f.place()) <= 0 {
			t.Fatalf("%s came after %s", c.Cursor, f.place())
		}
		m.seen(t, f, c)
		f.got = append(f.got, c)
	}
	return len(changes) > 0
}

func (m *hubModel) resume(t *rapid.T) {
	f := m.drawFollower(t)
	if f.stream != nil {
		f.stream.Close()
		f.stream = nil
	}
	if rapid.Bool().Draw(t, "at once") {
		m.reopen(t, f)
	}
}

func (m *hubModel) failOrNot(t *rapid.T) {
	if rapid.IntRange(0, 3).Draw(t, "fails") == 0 {
		m.fail(&messaging.Error{Code: messaging.Unavailable})
	} else {
		m.fail(nil)
	}
}

// slowDown lets every other reading take a while.
func (m *hubModel) slowDown(t *rapid.T) {
	long, turn := drawTime(t, 50), 0
	m.mu.Lock()
	defer m.mu.Unlock()
	m.delay = func() time.Duration {
		turn++
		return time.Duration(turn%2) * long
	}
}

func (*hubModel) sleep(t *rapid.T) {
	pause(t.Context(), drawTime(t, 1000))
}

// check reads all that there is, after a last hint, and compares it with what is stored.
func (m *hubModel) check(t *rapid.T) {
	m.fail(nil)
	pause(t.Context(), time.Second) // until everything is written
	m.bus.Publish(nil, nil)
	for _, f := range m.followers {
		for m.read(t, f) {
			continue
		}
		got := map[messaging.ID]bool{}
		for _, c := range f.got {
			got[c.Cursor] = true
		}
		for _, c := range m.stored(f.user, f.start) {
			if !got[c.Cursor] {
				t.Fatalf("%s has read from %s to %s, and not %s", f.user, f.start, f.place(), c.Cursor)
			}
		}
	}
}

func (m *hubModel) closeAll() {
	for _, f := range m.followers {
		if f.stream != nil {
			f.stream.Close()
		}
	}
}
