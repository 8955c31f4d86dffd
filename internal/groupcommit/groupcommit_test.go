package groupcommit

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/message-service/message-service/internal/panics"
)

var (
	errFaulty = errors.New("an item is faulty")
	errOutage = errors.New("nothing can be written")
)

// store is what a [Committer] writes into: all of a batch or nothing.
type store struct {
	t        *testing.T
	from, to time.Time // of an outage

	mu      sync.Mutex
	writing map[string]int // by key, how many items are being written
	written []*item        // in this order
}

// write takes as many milliseconds as there are items.
func (s *store) write(batch []*item) (failed []*item, err error) {
	s.count(batch, 1)
	<-time.After(time.Duration(len(batch)) * time.Millisecond)
	s.count(batch, -1)
	s.mu.Lock()
	defer s.mu.Unlock()
	if now := time.Now(); now.After(s.from) && now.Before(s.to) {
		return batch, errOutage
	}
	if slices.ContainsFunc(batch, func(i *item) bool { return i.faulty }) {
		return batch, errFaulty
	}
	s.written = append(s.written, batch...)
	return nil, nil
}

// count adds a batch to the items that are being written (n is 1), or removes it (-1).
func (s *store) count(batch []*item, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	own := map[string]int{}
	for _, i := range batch {
		for _, key := range i.keys {
			own[key]++
			s.writing[key] += n
		}
	}
	for key := range own {
		if n > 0 && s.writing[key] != own[key] {
			s.t.Errorf("%s is in two concurrent batches", key)
		}
	}
}

// TestCommitter writes items, some of which are faulty, with an outage in between. The items of
// each key must be written in the order they came, no two concurrent batches may share a key,
// and each item must be written once, or fail with its own error or that of the outage.
func TestCommitter(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(r *rapid.T) {
		items := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) *item {
			return &item{
				keys:   rapid.SliceOfN(rapid.StringMatching(`[a-f]`), 0, 3).Draw(t, "keys"),
				faulty: rapid.IntRange(0, 9).Draw(t, "fault") == 0,
				wait:   time.Duration(rapid.IntRange(0, 5).Draw(t, "wait")) * 100 * time.Microsecond,
			}
		}), 20, 80).Draw(r, "items")
		options := Options[*item]{Size: rapid.IntRange(1, 40).Draw(r, "size"), Writers: rapid.IntRange(1, 3).Draw(r, "writers")}
		from := rapid.IntRange(0, 60).Draw(r, "from")
		to := from + rapid.IntRange(0, 20).Draw(r, "to")
		ok := t.Run("", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { checkCommitter(t, options, items, time.Duration(from), time.Duration(to)) })
		})
		if !ok {
			r.Fatal("see above")
		}
	})
}

func checkCommitter(t *testing.T, options Options[*item], items []*item, from, to time.Duration) {
	s := &store{t: t, from: time.Now().Add(from * time.Millisecond), to: time.Now().Add(to * time.Millisecond), writing: map[string]int{}}
	options.Timeout, options.Write = time.Hour, s.write
	options.FailsAll = func(err error) bool { return errors.Is(err, errOutage) }
	c := Start(options)
	errs := make([]error, len(items))
	var callers sync.WaitGroup
	for n, i := range items {
		<-time.After(i.wait)
		i.number = n
		callers.Go(func() { errs[n] = c.Do(t.Context(), i) })
		synctest.Wait()
	}
	if err := c.Close(t.Context()); err != nil {
		t.Error(err)
	}
	if err := c.Do(t.Context(), &item{}); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
	callers.Wait()

	last := map[string]int{}
	times := map[*item]int{}
	for _, i := range s.written {
		times[i]++
		for _, key := range i.keys {
			if i.number < last[key] {
				t.Errorf("item %d of %s was written after %d", i.number, key, last[key])
			}
			last[key] = i.number
		}
	}
	for n, i := range items {
		refused := errors.Is(errs[n], ErrFull)
		written := !refused && i.err == nil
		own := i.faulty && errors.Is(i.err, errFaulty)
		outage := from < to && errors.Is(i.err, errOutage)
		if errs[n] != nil && !refused || written && times[i] != 1 || !written && times[i] != 0 || i.err != nil && !own && !outage {
			t.Errorf("item %d, faulty: %t, was written %d times: %v, %v", n, i.faulty, times[i], errs[n], i.err)
		}
	}
}

// TestCommitterOutage checks that a batch that fails in an outage is not halved.
func TestCommitterOutage(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var written [][]*item
		c := Start(Options[*item]{
			Size: 10, Writers: 1, Timeout: time.Hour,
			Write: func(batch []*item) ([]*item, error) {
				written = append(written, batch)
				<-time.After(time.Second)
				return batch, errOutage
			},
			FailsAll: func(err error) bool { return errors.Is(err, errOutage) },
		})
		items := make([]*item, 5)
		var callers sync.WaitGroup
		for n := range items {
			items[n] = &item{number: n}
			callers.Go(func() { _ = c.Do(t.Context(), items[n]) })
			synctest.Wait()
		}
		callers.Wait()
		if err := c.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if len(written) != 2 || !slices.Equal(written[1], items[1:]) {
			t.Errorf("%d batches, want 2 of 1 and 4 items: %v", len(written), written)
		}
		for _, i := range items {
			if !errors.Is(i.err, errOutage) {
				t.Errorf("item %d: %v", i.number, i.err)
			}
		}
	})
}

// TestCommitterPanics panics while a batch is written. All of its items fail, none is written again, and those after it are written.
func TestCommitterPanics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		batches := 0
		var logged bytes.Buffer
		c := Start(Options[*item]{
			Size: 10, Writers: 1, Timeout: time.Hour, Log: slog.New(slog.NewTextHandler(&logged, nil)),
			Write: func([]*item) ([]*item, error) {
				<-time.After(time.Second)
				if batches++; batches == 2 {
					panic("in a batch")
				}
				return nil, nil
			},
			FailsAll: func(error) bool { return false },
		})
		items := make([]*item, 5)
		var callers sync.WaitGroup
		for n := range items {
			items[n] = &item{number: n}
			callers.Go(func() { _ = c.Do(t.Context(), items[n]) })
			synctest.Wait()
		}
		callers.Wait()
		last := &item{number: len(items)}
		if err := c.Do(t.Context(), last); err != nil || last.err != nil {
			t.Errorf("after the batch: %v, %v", err, last.err)
		}
		if err := c.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if batches != 3 {
			t.Errorf("%d batches, want one of the first item, one of four, and one of the last", batches)
		}
		for _, i := range items {
			if errors.Is(i.err, panics.Err) != (i.number > 0) {
				t.Errorf("item %d: %v", i.number, i.err)
			}
			if i.err != nil && strings.Contains(i.err.Error(), "goroutine") {
				t.Errorf("item %d has the stack: %v", i.number, i.err)
			}
		}
		if strings.Count(logged.String(), "debug.Stack") != 1 {
			t.Errorf("the stack is not logged once, but so:\n%s", logged.String())
		}
	})
}

// TestCommitterTooSlow has a write take longer than the caller, and Close, wait for it.
func TestCommitterTooSlow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const timeout = time.Minute
		release := make(chan struct{})
		c := Start(Options[*item]{Size: 2, Writers: 1, Timeout: timeout, Write: func([]*item) ([]*item, error) {
			<-release
			return nil, nil
		}})
		if err := c.Do(t.Context(), &item{}); !errors.Is(err, ErrTooSlow) {
			t.Errorf("after %s: %v", timeout, err)
		}
		impatient, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := c.Do(impatient, &item{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("impatient: %v", err)
		}
		if c.Waiting() != 1 || c.Full() {
			t.Errorf("%d wait, full: %t", c.Waiting(), c.Full())
		}
		if err := c.Close(impatient); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("closed: %v", err)
		}
		close(release)
		if err := c.Close(t.Context()); err != nil || c.Waiting() != 0 {
			t.Errorf("%d wait: %v", c.Waiting(), err)
		}
	})
}

// TestOneProcessor has many callers put items at once on one processor. They must be written together: as long as
// the callers can run, the writer waits for them.
func TestOneProcessor(t *testing.T) {
	const callers, most = 50, 10
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	batches := 0
	c := Start(Options[*item]{Size: callers, Writers: 1, Timeout: time.Hour, Write: func([]*item) ([]*item, error) {
		batches++
		return nil, nil
	}})
	runtime.Gosched() // the writer waits now
	var running sync.WaitGroup
	for range callers {
		running.Go(func() { _ = c.Do(t.Context(), &item{}) })
	}
	running.Wait()
	if err := c.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if batches > most {
		t.Errorf("%d items were written in %d batches, want %d at most", callers, batches, most)
	}
}
