package feed

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/message-service/message-service/internal/messaging"
)

// TestStreamResumes opens streams after every change of a feed, before the first, and from now on.
func TestStreamResumes(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, f *followed) {
		const stored = 250 // more than a page has
		f.add("bob", numbers(0, stored)...)
		for after := range stored + 1 {
			start := cursor(uint64(after))
			s := f.open(t, "bob", &start)
			if s.Start != start {
				t.Fatalf("a stream after %s starts from %s", start, s.Start)
			}
			if after < stored {
				expect(t, s, numbers(after, stored)...)
			}
			s.Close()
		}
		now := f.open(t, "bob", nil)
		defer now.Close()
		if now.Start != cursor(stored) {
			t.Errorf("a stream from now on starts from %s", now.Start)
		}
		f.publish("bob", "later")
		expect(t, now, "later")
	})
}

// TestStreamJoins catches up while the hub hands changes to other streams: no change is missing or
// repeated between those the stream read by itself and those it is handed.
func TestStreamJoins(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, f *followed) {
		f.add("bob", numbers(0, 350)...)
		other := f.open(t, "bob", nil)
		defer other.Close()
		late := f.open(t, "bob", &messaging.ID{})
		defer late.Close()
		for n := 0; n < 350; n += pageLimit {
			time.AfterFunc(50*time.Millisecond, func() { f.publish("bob", fmt.Sprint(350+n/pageLimit)) })
			f.slow(100 * time.Millisecond) // so that the hub is ahead of the page
			expect(t, late, numbers(n, min(n+pageLimit, 353))...)
			expect(t, other, fmt.Sprint(350+n/pageLimit))
		}
		expect(t, late, "353")
		pause(t.Context(), time.Second)
		f.readings()
		f.publish("bob", "354")
		expect(t, late, "354")
		expect(t, other, "354")
		if pages, plural, _ := f.readings(); len(pages) != 0 || len(plural) != 1 {
			t.Errorf("for streams that have caught up it read %v single feeds, and %v together", pages, plural)
		}
	})
}

// TestStreamJoinsAlone publishes while the only stream of a user reads and is not live yet: when it
// joins, the hub reads from its cursor without another hint.
func TestStreamJoinsAlone(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, f *followed) {
		f.add("bob", numbers(0, 10*readLimit)...)
		f.slow(100 * time.Millisecond)
		time.AfterFunc(50*time.Millisecond, func() { f.publish("bob", "meanwhile") })
		s := f.open(t, "bob", nil)
		defer s.Close()
		expect(t, s, "meanwhile")
		if _, plural, _ := f.readings(); len(plural) != 1 {
			t.Errorf("it read %v feeds together", plural)
		}
	})
}

// TestStreamTakesOver closes the only stream of a mailbox while the hub reads it, and another stream,
// with an older cursor, joins: the hub must not hand it the result of that read.
func TestStreamTakesOver(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, f *followed) {
		f.add("bob", "1")
		first := f.open(t, "bob", nil)
		pause(t.Context(), time.Second)
		f.slow(100 * time.Millisecond)
		second := make(chan *Stream)
		go func() { second <- f.open(t, "bob", nil) }()
		synctest.Wait()
		f.publish("bob", "2")
		expect(t, first, "2")
		pause(t.Context(), 2*readInterval)
		f.slow(200 * time.Millisecond)
		f.publish("bob", "3")
		synctest.Wait()
		first.Close()
		s := <-second
		defer s.Close()
		expect(t, s, "2", "3")
	})
}

// TestStreamFallsBehind does not read a stream while more changes come than may be pending, in
// number or in bytes: the stream reads all of them from the database, in order, and then is live
// again.
func TestStreamFallsBehind(t *testing.T) {
	t.Parallel()
	for what, text := range map[string]string{"many": "", "long": strings.Repeat("long ", 500)} {
		t.Run(what, func(t *testing.T) {
			inBubble(t, Options{}, func(t *testing.T, f *followed) {
				s := f.open(t, "bob", nil)
				defer s.Close()
				pause(t.Context(), time.Second)
				f.readings()
				var want []string
				for n := range 3 * streamMaxPending {
					want = append(want, text+fmt.Sprint(n))
					f.publish("bob", want[n])
					pause(t.Context(), 2*readInterval) // the hub hands over one at a time
					if pending := f.hub.pending.Load(); len(s.pending) > streamMaxPending || pending != int64(s.bytes) || pending > streamMaxPendingBytes {
						t.Fatalf("%d changes wait, of %d bytes, counted as %d", len(s.pending), s.bytes, pending)
					}
				}
				expect(t, s, want...)
				if pages, _, _ := f.readings(); len(pages) == 0 {
					t.Error("more is pending than may be")
				}
				f.publish("bob", "new")
				expect(t, s, "new")
				if pages, plural, _ := f.readings(); len(pages) != 0 || len(plural) == 0 {
					t.Errorf("when it had caught up it read %d pages by itself", len(pages))
				}
			})
		})
	}
}

// TestStreamsFallBehind has many streams that nobody reads: the bytes pending in all of them are
// bounded, and released when they are closed.
func TestStreamsFallBehind(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, f *followed) {
		const users = 2*hubMaxPendingBytes/streamMaxPendingBytes + 100
		text := strings.Repeat("x", streamMaxPendingBytes/2)
		var streams []*Stream
		var woken []string
		for n := range users {
			user := fmt.Sprint("user-", n)
			streams, woken = append(streams, f.open(t, user, nil)), append(woken, user)
			f.add(user, text)
		}
		for range 2 {
			f.bus.Publish(woken, nil)
			pause(t.Context(), time.Second)
			for _, user := range woken {
				f.add(user, "more")
			}
		}
		behind := 0
		for _, s := range streams {
			if s.lost {
				behind++
			}
		}
		if pending := f.hub.pending.Load(); pending > hubMaxPendingBytes || pending < hubMaxPendingBytes*9/10 || behind == 0 || behind == users {
			t.Errorf("%d bytes wait, and %d of %d streams are behind", pending, behind, users)
		}
		f.bus.Publish(woken, nil)
		for _, s := range streams {
			expect(t, s, text, "more", "more")
		}
		f.publish("user-0", text)
		pause(t.Context(), time.Second)
		if pending := f.hub.pending.Load(); pending < int64(len(text)) {
			t.Errorf("%d bytes wait", pending)
		}
		for _, s := range streams {
			s.Close()
		}
		if pending := f.hub.pending.Load(); pending != 0 {
			t.Errorf("%d bytes wait for nobody", pending)
		}
	})
}

// TestStreamCannotRead has a stream's read fail: Next returns the error, and when it is called
// again it continues at the same cursor.
func TestStreamCannotRead(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, f *followed) {
		f.add("bob", numbers(0, 250)...)
		s := f.open(t, "bob", &messaging.ID{})
		defer s.Close()
		expect(t, s, numbers(0, 100)...)
		gone := &messaging.Error{Code: messaging.Unavailable}
		f.fail(gone)
		for range 3 {
			if changes, err := s.Next(t.Context(), time.Time{}); !errors.Is(err, gone) || len(changes) > 0 {
				t.Errorf("it brings %d changes: %v", len(changes), err)
			}
		}
		f.fail(nil)
		expect(t, s, numbers(100, 250)...)
	})
}

// TestStreamOfLongTexts reads long texts, few of which fill a page: the stream lowers the limit of
// its reads, and raises it again when the texts are short.
func TestStreamOfLongTexts(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, f *followed) {
		var want []string
		for n := range 60 {
			want = append(want, strings.Repeat("x", pageBytes/4)+fmt.Sprint(n))
		}
		want = append(want, numbers(60, 500)...)
		f.add("bob", want...)
		s := f.open(t, "bob", &messaging.ID{})
		defer s.Close()
		expect(t, s, want...)
		pages, _, _ := f.readings()
		if pages[0] != pageLimit || slices.Max(pages[1:12]) > 10 || pages[len(pages)-1] != pageLimit || len(pages) > 25 {
			t.Errorf("it asked for %v changes", pages)
		}
	})
}

// TestStreamOfARestoredStore restores the store to a state before the cursors of its streams: both
// live streams and those that are behind end.
func TestStreamOfARestoredStore(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, f *followed) {
		f.add("bob", numbers(0, 10)...)
		s := f.open(t, "bob", nil)
		defer s.Close()
		synctest.Wait()
		f.feeds["bob"], f.clocks["bob"] = f.feeds["bob"][:5], messaging.Position{Clock: cursor(5)}
		f.bus.Publish(nil, nil)
		_, err := s.Next(t.Context(), time.Time{})
		if e, ok := errors.AsType[*messaging.Error](err); !ok || e.Code != messaging.CursorAhead {
			t.Errorf("a stream ends with %v", err)
		}
		_, err = f.hub.Open(t.Context(), messaging.AsService, "bob", &s.Start)
		if e, ok := errors.AsType[*messaging.Error](err); !ok || e.Code != messaging.CursorAhead || f.hub.Streams() != 1 {
			t.Errorf("resumed, with %d open: %v", f.hub.Streams(), err)
		}
	})
}

// TestStreamOfOthers opens streams of bob, who has as many as are allowed, on behalf of others: they learn
// nothing of these, and nothing is read for them.
func TestStreamOfOthers(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, f *followed) {
		for range UserMaxStreams {
			defer f.open(t, "bob", nil).Close()
		}
		f.readings()
		for _, test := range []struct {
			caller messaging.Caller
			want   messaging.Code
		}{
			{messaging.AsUser("carl"), messaging.Forbidden}, {messaging.Caller{}, messaging.Forbidden},
			{messaging.AsUser("bob"), messaging.TooManyStreams}, {messaging.AsService, messaging.TooManyStreams},
		} {
			_, opened := f.hub.Open(t.Context(), test.caller, "bob", nil)
			_, waited := f.hub.Wait(t.Context(), test.caller, "bob", messaging.ID{})
			for _, err := range []error{opened, waited} {
				if e, ok := errors.AsType[*messaging.Error](err); !ok || e.Code != test.want {
					t.Errorf("as %+v: %v, want %s", test.caller, err, test.want)
				}
			}
		}
		if pages, _, _ := f.readings(); f.hub.Streams() != UserMaxStreams || len(pages) > 0 {
			t.Errorf("%d streams are open, and it read %v", f.hub.Streams(), pages)
		}
	})
}
