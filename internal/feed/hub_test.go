package feed

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/message-service/message-service/internal/messaging"
)

// TestHubHandsOn publishes for users who have several streams: each stream gets every change once
// and in order, and one statement reads them for all streams.
func TestHubHandsOn(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, f *followed) {
		f.add("bob", "before")
		streams := []*Stream{f.open(t, "bob", nil), f.open(t, "bob", nil), f.open(t, "bob", nil)}
		alice := f.open(t, "alice", nil)
		synctest.Wait() // until the hub has read for the first of each
		f.readings()
		for n := range 5 {
			f.publish("bob", numbers(2*n, 2*n+2)...)
			f.publish("alice", fmt.Sprint("to alice ", n))
			for _, s := range streams {
				expect(t, s, numbers(2*n, 2*n+2)...)
			}
			expect(t, alice, fmt.Sprint("to alice ", n))
		}
		if pages, plural, asked := f.readings(); len(pages) != 0 || len(plural) < 5 || len(plural) > 10 || len(asked) != 0 {
			t.Errorf("it read %v single feeds, %v together, and %v clocks", pages, plural, asked)
		}
		for _, s := range append(streams, alice) {
			s.Close()
		}
	})
}

// TestHubReadsMuch changes more mailboxes, and one more often, than one statement reads: the hub
// reads the rest without another hint, at intervals.
func TestHubReadsMuch(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, f *followed) {
		const users = 2*readMost + 50
		streams := map[string]*Stream{}
		for n := range users {
			user := fmt.Sprint("user-", n)
			streams[user] = f.open(t, user, nil)
		}
		pause(t.Context(), time.Second)
		f.readings()
		start := time.Now()
		var woken []string
		for user := range streams {
			f.add(user, numbers(0, readLimit+1)...)
			woken = append(woken, user)
		}
		f.bus.Publish(woken, nil)
		for _, s := range streams {
			expect(t, s, numbers(0, readLimit+1)...)
			s.Close()
		}
		_, plural, _ := f.readings()
		if slices.Max(plural) > readMost || len(plural) < 5 {
			t.Errorf("it read %v feeds together", plural)
		}
		if took := time.Since(start); took < time.Duration(len(plural)-1)*readInterval || took > time.Second {
			t.Errorf("%d statements took %s", len(plural), took)
		}
	})
}

// TestHubFoldsHints publishes while the hub reads: the hints are coalesced into one more read.
func TestHubFoldsHints(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, f *followed) {
		bob, dave := f.open(t, "bob", nil), f.open(t, "dave", nil)
		defer bob.Close()
		defer dave.Close()
		pause(t.Context(), time.Second)
		f.readings()
		f.delay = func() time.Duration { return time.Second }
		f.publish("bob", "0")
		synctest.Wait()
		for n := range 10 {
			f.publish("bob", fmt.Sprint(n+1))
			f.publish("dave", fmt.Sprint(n))
		}
		expect(t, bob, numbers(0, 11)...)
		expect(t, dave, numbers(0, 10)...)
		if _, plural, _ := f.readings(); !slices.Equal(plural, []int{1, 2}) {
			t.Errorf("it read %v feeds together", plural)
		}
	})
}

// TestHubFindsChanged loses hints and then wakes the hub for any mailbox: it reads the clocks
// of all followed mailboxes, in chunks, and then the mailboxes that have changed.
func TestHubFindsChanged(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, f *followed) {
		const users = 2*readMost + 50
		streams := map[string]*Stream{}
		for n := range users {
			user := fmt.Sprint("user-", n)
			f.add(user, "before")
			streams[user] = f.open(t, user, nil)
		}
		pause(t.Context(), time.Second)
		f.readings()
		f.add("user-3", "lost")
		f.add("user-444", "lost")
		f.add("nobody's", "lost")
		f.bus.Publish(nil, nil)
		f.bus.Publish([]string{"nobody's", "has no mailbox"}, nil)
		expect(t, streams["user-3"], "lost")
		expect(t, streams["user-444"], "lost")
		pause(t.Context(), time.Second)
		pages, plural, asked := f.readings()
		read := 0
		for _, n := range plural {
			read += n
		}
		if slices.Sort(asked); len(pages) != 0 || read != 2 || !slices.Equal(asked, []int{50, readMost, readMost}) {
			t.Errorf("it read %v single feeds, %v together, and %v clocks", pages, plural, asked)
		}
		for _, s := range streams {
			s.Close()
		}
	})
}

// errPanics makes a reading panic.
var errPanics = errors.New("the reading panics")

// TestHubReadsAgain has reads fail, and panic: streams wait, the hub logs it once, retries at intervals, and
// logs once that it reads again.
func TestHubReadsAgain(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, f *followed) {
		f.add("bob", "before")
		bob := f.open(t, "bob", nil)
		defer bob.Close()
		pause(t.Context(), time.Second)
		for _, failure := range []error{errors.New("the database is gone"), errPanics} {
			f.readings()
			f.fail(failure)
			f.publish("bob", "meanwhile")
			pause(t.Context(), 10*retryWait+retryWait/2)
			if _, plural, asked := f.readings(); len(plural) > 11 || len(asked) < 10 || len(asked) > 11 {
				t.Errorf("in 10 intervals it read %v feeds together and %v clocks", plural, asked)
			}
			f.fail(nil)
			start := time.Now()
			expect(t, bob, "meanwhile")
			if took := time.Since(start); took > 2*retryWait {
				t.Errorf("it came after %s", took)
			}
			pause(t.Context(), 2*retryWait)
		}
		lost, back := strings.Count(f.log.String(), "changes cannot be read"), strings.Count(f.log.String(), "can be read again")
		if lost != 4 || back != 4 { // each time by the reader of feeds and by that of clocks
			t.Errorf("it said %d times that it cannot read, and %d times that it can:\n%s", lost, back, &f.log)
		}
	})
}

// TestHubLimits exceeds the limits of streams of a user and of a server, and opens another one after
// a stream has been closed.
func TestHubLimits(t *testing.T) {
	inBubble(t, Options{MaxStreams: UserMaxStreams + 1}, func(t *testing.T, f *followed) {
		refused := func(user string) {
			t.Helper()
			_, err := f.hub.Open(t.Context(), messaging.AsService, user, nil)
			if e, ok := errors.AsType[*messaging.Error](err); !ok || e.Code != messaging.TooManyStreams {
				t.Errorf("%s got %v", user, err)
			}
			if _, err = f.hub.Wait(t.Context(), messaging.AsService, user, messaging.ID{}); err == nil {
				t.Errorf("Wait of %s was not refused", user)
			}
		}
		var streams []*Stream
		for range UserMaxStreams {
			streams = append(streams, f.open(t, "bob", nil))
		}
		refused("bob")
		streams = append(streams, f.open(t, "alice", nil))
		refused("carol")
		streams[0].Close()
		streams[0] = f.open(t, "bob", nil)
		refused("carol")
		f.fail(errors.New("the database is gone"))
		streams[1].Close()
		if _, err := f.hub.Open(t.Context(), messaging.AsService, "bob", nil); err == nil || f.hub.Streams() != UserMaxStreams {
			t.Errorf("a stream that could not be opened is counted among %d: %v", f.hub.Streams(), err)
		}
		f.fail(nil)
		streams[1] = f.open(t, "bob", nil)
		for _, s := range streams {
			s.Close()
		}
		if f.hub.Streams() != 0 || len(f.hub.mailboxes) != 0 || len(f.hub.woken) != 0 {
			t.Errorf("there remain %d streams, %d mailboxes, %d to be read", f.hub.Streams(), len(f.hub.mailboxes), len(f.hub.woken))
		}
	})
}

// TestHubEnds drains a hub: streams end at once, even with changes to read, long polls are
// answered, new streams are refused, and End returns when the last stream is closed.
func TestHubEnds(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, f *followed) {
		f.add("bob", numbers(0, 300)...)
		waiting, amid := f.open(t, "dave", nil), f.open(t, "bob", &messaging.ID{})
		expect(t, amid, numbers(0, 100)...)
		held := make(chan error, 1)
		go func() {
			from, err := f.hub.Wait(context.WithoutCancel(t.Context()), messaging.AsService, "carol", messaging.ID{})
			if from != (messaging.ID{}) {
				err = fmt.Errorf("it goes on from %s", from)
			}
			held <- err
		}()
		ending := make(chan error, 1)
		synctest.Wait()
		go func() { ending <- f.hub.End(context.WithoutCancel(t.Context())) }()
		for _, s := range []*Stream{waiting, amid} {
			if changes, err := s.Next(t.Context(), time.Time{}); !errors.Is(err, ErrClosing) {
				t.Errorf("a stream brings %d changes: %v", len(changes), err)
			}
		}
		if err := <-held; err != nil {
			t.Errorf("the long poll is answered %v", err)
		}
		_, err := f.hub.Open(t.Context(), messaging.AsService, "bob", nil)
		if e, ok := errors.AsType[*messaging.Error](err); !ok || e.Code != messaging.Unavailable {
			t.Errorf("a new stream is answered %v", err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := f.hub.End(ctx); !errors.Is(err, context.DeadlineExceeded) || !strings.HasPrefix(err.Error(), "2 streams") {
			t.Errorf("with two streams it ended with %v", err)
		}
		waiting.Close()
		amid.Close()
		if err := <-ending; err != nil {
			t.Error(err)
		}
	})
}
