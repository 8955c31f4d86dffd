package mailbox

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
)

// TestTurns holds a mailbox and lets others come: those of other mailboxes go on, those
// of the same one follow in the order they came, and whoever gives up leaves nothing behind.
func TestTurns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns(5, 5, 2)
		var done []string
		release := make(chan struct{})
		start := func(ctx context.Context, name string, wait <-chan struct{}, users ...string) <-chan error {
			result := make(chan error, 1)
			go func() {
				result <- turns.do(ctx, users, func() error {
					if wait != nil {
						<-wait
					}
					done = append(done, name)
					return nil
				})
			}()
			synctest.Wait()
			return result
		}
		impatient, giveUp := context.WithCancel(t.Context())
		first := start(t.Context(), "first", release, "bob", "alice")
		second := start(t.Context(), "second", nil, "bob", "carol", "bob")
		gone := start(impatient, "gone", nil, "bob", "dan")
		third := start(t.Context(), "third", nil, "alice", "bob")
		if err := <-start(t.Context(), "other", nil, "dan", "erin"); err != nil {
			t.Errorf("other: %v", err)
		}
		fourth, fifth := start(t.Context(), "fourth", nil, "carol"), start(t.Context(), "fifth", nil, "alice")
		err := <-start(t.Context(), "sixth", nil, "zoe")
		if !errors.Is(err, ErrTooMany) {
			t.Errorf("sixth: %v", err)
		}
		giveUp()
		if err := <-gone; !errors.Is(err, context.Canceled) {
			t.Errorf("gone: %v", err)
		}
		close(release)
		for name, result := range map[string]<-chan error{"first": first, "second": second, "third": third, "fourth": fourth, "fifth": fifth} {
			if err := <-result; err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if want := []string{"other", "fourth", "first", "second", "third", "fifth"}; !slices.Equal(done, want) {
			t.Errorf("they were let in as %v", done)
		}
		if len(turns.mailboxes) != 0 || len(turns.slots) != 0 || turns.present != 0 {
			t.Errorf("left %v, %d in slots, %d present", turns.mailboxes, len(turns.slots), turns.present)
		}
	})
}

// TestTurnsTimeout waits for a mailbox that is not given back.
func TestTurnsTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns(2, 2, 2)
		release := make(chan struct{})
		go turns.do(t.Context(), []string{"bob"}, func() error { <-release; return nil }) //nolint:errcheck // it does not fail
		synctest.Wait()
		err := turns.do(t.Context(), []string{"alice", "bob"}, nil)
		if !errors.Is(err, ErrTooSlow) {
			t.Errorf("after %s: %v", turnTimeout, err)
		}
		close(release)
		synctest.Wait()
		if len(turns.mailboxes) != 0 {
			t.Errorf("left %v", turns.mailboxes)
		}
	})
}

// TestTurnsLine lets more come for a mailbox than may wait for it: they are refused, and
// others are let in all the same.
func TestTurnsLine(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		turns := newTurns(10, 2, 2)
		release := make(chan struct{})
		errs := make(chan error, 20)
		for range 20 {
			go func() {
				errs <- turns.do(t.Context(), []string{"alice", "bob"}, func() error { <-release; return nil })
			}()
		}
		synctest.Wait()
		if err := turns.do(t.Context(), []string{"carol", "dan"}, func() error { return nil }); err != nil {
			t.Errorf("other: %v", err)
		}
		if err := turns.do(t.Context(), []string{"aaron", "alice"}, nil); !errors.Is(err, ErrCrowded) {
			t.Errorf("one more: %v", err)
		}
		if err := turns.do(t.Context(), []string{"aaron"}, func() error { return nil }); err != nil {
			t.Errorf("the other user of one that was refused: %v", err)
		}
		close(release)
		refused := 0
		for range 20 {
			if err := <-errs; errors.Is(err, ErrCrowded) || errors.Is(err, ErrTooMany) {
				refused++
			} else if err != nil {
				t.Error(err)
			}
		}
		if refused != 17 || len(turns.mailboxes) != 0 || turns.present != 0 {
			t.Errorf("%d were refused; left %v, %d present", refused, turns.mailboxes, turns.present)
		}
	})
}
