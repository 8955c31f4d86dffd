package mailbox

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestLocks holds a mailbox while more changes arrive: changes of other mailboxes run, changes that have one in common
// follow in the order they came, even if nobody has that one yet, and a change that gives up leaves nothing behind.
func TestLocks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		locks := newLocks(6, 5, 2)
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
		if err := <-start(t.Context(), "other", nil, "erin", "frank"); err != nil {
			t.Errorf("other: %v", err)
		}
		fourth, fifth := start(t.Context(), "fourth", nil, "carol", "alice"), start(t.Context(), "fifth", nil, "alice")
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
		if want := []string{"other", "first", "second", "third", "fourth", "fifth"}; !slices.Equal(done, want) {
			t.Errorf("they ran in the order %v", done)
		}
		if len(locks.mailboxes) != 0 || locks.length() != 0 {
			t.Errorf("left %v, %d active", locks.mailboxes, locks.length())
		}
	})
}

// TestLocksAreFair makes changes of pairs of mailboxes all the time, as fast as one after the other can be made. However
// many others need its mailboxes, none waits longer than all that came before it take.
func TestLocksAreFair(t *testing.T) {
	t.Parallel()
	const changing, each, takes = 200, 50, 10 * time.Millisecond
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	synctest.Test(t, func(t *testing.T) {
		locks := newLocks(changing, changing, 1)
		var all sync.WaitGroup
		for i := range changing {
			all.Go(func() {
				random := rand.New(rand.NewPCG(seed, uint64(i)))
				for range each {
					pair := []string{fmt.Sprint(random.IntN(60)), fmt.Sprint(random.IntN(60))}
					began := time.Now()
					err := locks.do(t.Context(), pair, func() error { <-time.After(takes); return nil })
					if waited := time.Since(began); err != nil || waited > changing*takes {
						t.Errorf("a change of %v took %s: %v", pair, waited, err)
						return
					}
				}
			})
		}
		all.Wait()
	})
}

// TestLocksExclude makes changes of a few mailboxes, of which many give up: no two run with a mailbox in common, nor more than there are slots.
func TestLocksExclude(t *testing.T) {
	t.Parallel()
	const slots, takes = 2, 10 * time.Millisecond
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	synctest.Test(t, func(t *testing.T) {
		locks := newLocks(100, 100, slots)
		var mu sync.Mutex
		locked, running, ran, gaveUp := map[string]bool{}, 0, 0, 0
		note := func(owners []string, begins bool) {
			mu.Lock()
			defer mu.Unlock()
			for _, owner := range owners {
				if locked[owner] == begins {
					t.Errorf("two changes of %s run", owner)
				}
				locked[owner] = begins
			}
			if running--; begins {
				running, ran = running+2, ran+1
			}
			if running > slots {
				t.Errorf("%d changes run", running)
			}
		}
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				random := rand.New(rand.NewPCG(seed, uint64(i)))
				for range 100 {
					owners := []string{fmt.Sprint("a", random.IntN(3)), fmt.Sprint("b", random.IntN(3)), fmt.Sprint("c", random.IntN(3))}[random.IntN(3):]
					ctx, stop := context.WithTimeout(t.Context(), time.Duration(random.Int64N(int64(10*takes))))
					err := locks.do(ctx, owners, func() error {
						note(owners, true)
						<-time.After(time.Duration(random.Int64N(int64(takes))))
						note(owners, false)
						return nil
					})
					stop()
					if errors.Is(err, context.DeadlineExceeded) {
						mu.Lock()
						gaveUp++
						mu.Unlock()
					} else if err != nil {
						t.Error(err)
					}
				}
			})
		}
		all.Wait()
		if ran < 100 || gaveUp < 100 || len(locks.mailboxes) != 0 || locks.length() != 0 {
			t.Errorf("%d ran, %d gave up; left %v", ran, gaveUp, locks.mailboxes)
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
		if refused != 17 || len(locks.mailboxes) != 0 || locks.length() != 0 {
			t.Errorf("%d were refused; left %v, %d active", refused, locks.mailboxes, locks.length())
		}
	})
}
