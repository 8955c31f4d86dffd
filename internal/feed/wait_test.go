package feed

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/message-service/message-service/internal/messaging"
)

// TestWait returns at once if there is a change, else when one comes or ctx ends.
func TestWait(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, f *followed) {
		f.add("bob", "before")
		wait := func(after messaging.ID) (from messaging.ID, took time.Duration) {
			t.Helper()
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			start := time.Now()
			from, err := f.hub.Wait(ctx, messaging.AsService, "bob", after)
			if err != nil || f.hub.Streams() != 0 {
				t.Errorf("with %d streams after it: %v", f.hub.Streams(), err)
			}
			return from, time.Since(start)
		}
		if from, took := wait(messaging.ID{}); took != 0 || from != (messaging.ID{}) {
			t.Errorf("with a change it goes on from %s after %s", from, took)
		}
		if from, took := wait(cursor(1)); took != time.Minute || from != cursor(1) {
			t.Errorf("without a change it goes on from %s after %s", from, took)
		}
		time.AfterFunc(10*time.Second, func() { f.publish("bob", "meanwhile") })
		if from, took := wait(cursor(1)); took < 10*time.Second || took > 11*time.Second || from != cursor(1) {
			t.Errorf("with a change after 10 seconds it goes on from %s after %s", from, took)
		}
		gone, leave := context.WithCancel(t.Context())
		leave()
		if _, err := f.hub.Wait(gone, messaging.AsService, "bob", cursor(2)); !errors.Is(err, context.Canceled) {
			t.Errorf("after its context is cancelled, Wait returns %v", err)
		}
	})
}

// TestWaitOverEdited waits where pages are empty, since many messages were edited: Wait reads
// waitPages of them and returns the cursor after them.
func TestWaitOverEdited(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, f *followed) {
		const edited = 5*storeWalk + 10
		f.add("bob", numbers(0, edited)...)
		for n := range edited {
			f.edit("bob", n)
		}
		from, err := f.hub.Wait(t.Context(), messaging.AsService, "bob", messaging.ID{})
		if err != nil || from != cursor(waitPages*storeWalk) {
			t.Errorf("it goes on from %s: %v", from, err)
		}
		if from, err = f.hub.Wait(t.Context(), messaging.AsService, "bob", from); err != nil || from != cursor(5*storeWalk) {
			t.Errorf("then it goes on from %s: %v", from, err)
		}
	})
}

// TestStreamWaitsUntil has a stream wait until a time: while it reads empty pages, since many messages were edited, and when it
// pauses, whatever comes. Then it goes on.
func TestStreamWaitsUntil(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, f *followed) {
		const edited, read = 20 * storeWalk, 100 * time.Millisecond
		f.add("bob", numbers(0, edited)...)
		for n := range edited {
			f.edit("bob", n)
		}
		f.delay = func() time.Duration { return read }
		s := f.open(t, "bob", &messaging.ID{})
		defer s.Close()
		until := func(what string, wait func(until time.Time) error) {
			t.Helper()
			start := time.Now()
			err := wait(start.Add(time.Second))
			if took := time.Since(start); took < time.Second || took >= time.Second+read || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%s it waits for %s: %v", what, took, err)
			}
		}
		until("over empty pages", func(until time.Time) error {
			_, err := s.Next(t.Context(), until)
			return err
		})
		expect(t, s, numbers(0, edited)...)
		time.AfterFunc(read, func() { f.publish("bob", "meanwhile") })
		until("in a pause", func(until time.Time) error { return s.Pause(t.Context(), until) })
		expect(t, s, "meanwhile")
	})
}
