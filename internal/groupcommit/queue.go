package groupcommit

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// queue holds the items that wait to be written. Batches that are written at the same time have no
// key in common: else one would wait in the database for the locks of the other while it holds
// its own.
type queue[T Item] struct {
	size  int // items that may wait
	large bool

	mu      sync.Mutex
	changed *sync.Cond      // an item came, a batch was written, or the queue was closed
	waiting []entry[T]      // in the order they came
	count   atomic.Int64    // how many wait
	busy    map[string]bool // the keys of the batches that are being written
	passed  int             // items at the front that were passed over: a batch or an earlier item has a key in common
	held    map[string]bool // the keys of the items that were passed over
	closed  bool
}

// entry is an item, and a channel that is closed when its outcome is known.
type entry[T Item] struct {
	item T
	done chan struct{}
}

func newQueue[T Item](size int, large bool) *queue[T] {
	q := &queue[T]{size: size, large: large, busy: map[string]bool{}, held: map[string]bool{}}
	q.changed = sync.NewCond(&q.mu)
	return q
}

// put adds an item. Errors: [ErrFull], [ErrClosed].
func (q *queue[T]) put(e entry[T]) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return ErrClosed
	case len(q.waiting) >= q.size:
		return ErrFull
	}
	q.waiting = append(q.waiting, e)
	q.count.Store(int64(len(q.waiting)))
	q.changed.Signal()
	return nil
}

// length is the number of items that wait. It takes no lock: under overload most callers only ask whether
// there is room, and would wait for each other and for the look-ahead of the writers.
func (q *queue[T]) length() int { return int(q.count.Load()) }

// close refuses new items. Those that wait are still handed out.
func (q *queue[T]) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.changed.Broadcast()
}

// take waits for the next batch and returns it, or nil once the queue is closed and empty. The
// batch must be given to release.
func (q *queue[T]) take() []entry[T] {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		q.gather()
		batch := q.next()
		if len(batch) > 0 {
			return batch
		}
		if q.closed && len(q.waiting) == 0 {
			return nil
		}
		q.changed.Wait()
	}
}

// gather lets the callers who are about to put an item do so. On one processor a writer that waits is run as
// soon as an item comes, before the callers who are ready to run, and would write items one by one. With more
// processors they put their items meanwhile, and waiting for them costs more than it gains.
func (q *queue[T]) gather() {
	if runtime.GOMAXPROCS(0) > 1 {
		return
	}
	q.mu.Unlock()
	runtime.Gosched()
	q.mu.Lock()
}

// A batch is short for the latency of the items that wait for it, but long if many items wait,
// since each batch has a fixed cost.
const (
	shortBatch  = 64
	manyWaiting = 256
)

// lookAhead bounds how many items are passed over in search of items that can be written now.
const lookAhead = 1024

// next takes the items that share no key with a batch that is being written, nor with an earlier
// item that waits.
func (q *queue[T]) next() (batch []entry[T]) {
	most := shortBatch
	if q.large || len(q.waiting) > manyWaiting {
		most = MaxBatch
	}
	rest := q.waiting[q.passed:]
	for len(rest) > 0 && len(batch) < most && q.passed < lookAhead {
		e := rest[0]
		rest = rest[1:]
		if keys := e.item.Keys(); has(q.busy, keys) || has(q.held, keys) {
			add(q.held, keys)
			q.waiting[q.passed] = e
			q.passed++
		} else {
			batch = append(batch, e)
		}
	}
	if len(batch) == 0 {
		return nil
	}
	kept := q.passed + copy(q.waiting[q.passed:], rest)
	clear(q.waiting[kept:])
	q.waiting = q.waiting[:kept]
	q.count.Store(int64(kept))
	for _, e := range batch {
		add(q.busy, e.item.Keys())
	}
	return batch
}

// release records that a batch has been written, and has next look at all items again.
func (q *queue[T]) release(batch []entry[T]) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, e := range batch {
		for _, key := range e.item.Keys() {
			delete(q.busy, key)
		}
	}
	q.passed = 0
	clear(q.held)
	q.changed.Broadcast()
}

func has(set map[string]bool, keys []string) bool {
	for _, key := range keys {
		if set[key] {
			return true
		}
	}
	return false
}

func add(set map[string]bool, keys []string) {
	for _, key := range keys {
		set[key] = true
	}
}
