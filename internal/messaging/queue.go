package messaging

import "sync"

// queue holds the sends that wait to be stored. The batches it hands out at the same time
// have no user in common: one would wait in the database for the mailboxes that the other
// has locked, and keep locked what it has itself.
type queue struct {
	size int // sends that may wait

	mu      sync.Mutex
	changed *sync.Cond      // a send came, a batch was stored, or the queue was closed
	waiting []*send         // in the order they came
	busy    map[string]bool // the users of the batches that are being stored
	passed  int             // so many at the front wait for one of those, or for each other
	held    map[string]bool // the users of those
	closed  bool
}

func newQueue(size int) *queue {
	q := &queue{size: size, busy: map[string]bool{}, held: map[string]bool{}}
	q.changed = sync.NewCond(&q.mu)
	return q
}

// put adds a send unless the queue is full or closed.
func (q *queue) put(s *send) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return &Error{Code: Unavailable, Message: "The server is shutting down."}
	case len(q.waiting) >= q.size:
		return queueFull()
	}
	q.waiting = append(q.waiting, s)
	q.changed.Signal()
	return nil
}

// full tells whether put would refuse another send.
func (q *queue) full() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting) >= q.size
}

// length is how many sends wait.
func (q *queue) length() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting)
}

func queueFull() *Error {
	return &Error{Code: Unavailable, Message: "Too many messages are waiting to be stored. Try again shortly."}
}

// close refuses new sends. What waits is still handed out.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.changed.Broadcast()
}

// take returns the next batch, and waits for one. It returns nil when there will be none.
// The batch is to be given to release.
func (q *queue) take() []*send {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
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

// A batch is short, since who has to wait for it waits for all of it, but long where many
// wait, since each batch costs something, too. The widest statement takes eight parameters
// for each send; Postgres allows 65,535 and SQLite 32,766.
const (
	shortBatch  = 64
	longBatch   = 512
	manyWaiting = 256
)

// lookAhead bounds how many are passed over in search for those that need not wait.
const lookAhead = 1024

// next takes the sends that share no user with a batch that is being stored. Nor do they
// overtake another send of one of their users.
func (q *queue) next() (batch []*send) {
	most := shortBatch
	if len(q.waiting) > manyWaiting {
		most = longBatch
	}
	rest := q.waiting[q.passed:]
	for len(rest) > 0 && len(batch) < most && q.passed < lookAhead {
		s := rest[0]
		rest = rest[1:]
		a, b := s.draft.Sender, s.draft.Recipient
		if q.busy[a] || q.busy[b] || q.held[a] || q.held[b] {
			q.held[a], q.held[b] = true, true
			q.waiting[q.passed] = s
			q.passed++
		} else {
			batch = append(batch, s)
		}
	}
	if len(batch) == 0 {
		return nil
	}
	kept := q.passed + copy(q.waiting[q.passed:], rest)
	clear(q.waiting[kept:])
	q.waiting = q.waiting[:kept]
	for _, s := range batch {
		q.busy[s.draft.Sender], q.busy[s.draft.Recipient] = true, true
	}
	return batch
}

// release tells that a batch has been stored, so that all that waits is looked at again.
func (q *queue) release(batch []*send) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, s := range batch {
		delete(q.busy, s.draft.Sender)
		delete(q.busy, s.draft.Recipient)
	}
	q.passed = 0
	clear(q.held)
	q.changed.Broadcast()
}
