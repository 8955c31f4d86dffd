package mailbox

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
)

// TestLocks holds a mailbox while more changes arrive: changes of other mailboxes run, changes of
// the same mailbox follow in the order they came, and a change that gives up leaves nothing behind.
func TestLocks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		locks := newLocks(5, 5, 2)
		var done []string
		release := make(chan struct{})
		start := func(ctx context.Context, name string, wait <-chan struct{}, users ...string) <-chan error {
			result := make(chan error, 1)
			go func() {
				result <- locks.do(ctx, users, func() error {
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
			t.Errorf("they ran in the order %v", done)
		}
		if len(locks.mailboxes) != 0 || len(locks.slots) != 0 || locks.active != 0 {
			t.Errorf("left %v, %d in slots, %d active", locks.mailboxes, len(locks.slots), locks.active)
		}
	})
}

// TestLocksTimeout waits for a mailbox that stays locked.
func TestLocksTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		locks := newLocks(2, 2, 2)
		release := make(chan struct{})
		go locks.do(t.Context(), []string{"bob"}, func() error { <-release; return nil }) //nolint:errcheck // it does not fail
		synctest.Wait()
		err := locks.do(t.Context(), []string{"alice", "bob"}, nil)
		if !errors.Is(err, ErrTooSlow) {
			t.Errorf("after %s: %v", lockTimeout, err)
		}
		close(release)
		synctest.Wait()
		if len(locks.mailboxes) != 0 {
			t.Errorf("left %v", locks.mailboxes)
		}
	})
}

// TestLocksCrowded has more changes wait for a mailbox than may: they are refused, and changes of
// other mailboxes run.
func TestLocksCrowded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		locks := newLocks(10, 2, 2)
		release := make(chan struct{})
		errs := make(chan error, 20)
		for range 20 {
			go func() {
				errs <- locks.do(t.Context(), []string{"alice", "bob"}, func() error { <-release; return nil })
			}()
		}
		synctest.Wait()
		if err := locks.do(t.Context(), []string{"carol", "dan"}, func() error { return nil }); err != nil {
			t.Errorf("other: %v", err)
		}
		if err := locks.do(t.Context(), []string{"aaron", "alice"}, nil); !errors.Is(err, ErrCrowded) {
			t.Errorf("one more: %v", err)
		}
		if err := locks.do(t.Context(), []string{"aaron"}, func() error { return nil }); err != nil {
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
		if refused != 17 || len(locks.mailboxes) != 0 || locks.active != 0 {
			t.Errorf("%d were refused; left %v, %d active", refused, locks.mailboxes, locks.active)
		}
	})
}
