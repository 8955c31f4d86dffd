package mailbox

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// lockTimeout bounds the wait of a change for its mailboxes and a slot.
const lockTimeout = 10 * time.Second

// The reasons why a change was refused before it began.
var (
	ErrTooMany = errors.New("too many changes wait")
	ErrCrowded = errors.New("too many changes wait for one mailbox")
	ErrTooSlow = errors.New("other changes in the same mailboxes take too long")
)

// locks are locks of mailboxes in memory, and a semaphore. Changes take them before they begin
// a transaction: a change that waited for a row lock in the database would occupy a connection.
//
// A change queues for all its mailboxes at once, when it comes, and of the changes that have all theirs the oldest runs next.
// So the oldest that waits only waits for some that run: whatever mailboxes it needs, many that come later do not overtake it,
// and none wait for each other in a circle.
type locks struct {
	size       int // changes that may run or wait at a time
	maxWaiting int // changes that may wait for one mailbox, so that others have room
	slots      int // changes that may run at a time

	mu        sync.Mutex
	running   int
	waiting   []*queued            // in the order in which they came
	mailboxes map[string][]*queued // who has the lock of each mailbox, and then those that wait for it
}

// queued is a change that runs or waits.
type queued struct {
	owners  []string
	missing int           // mailboxes of which others have the lock
	runs    bool          // it has a slot
	turn    chan struct{} // closed then
}

func newLocks(size, maxWaiting, slots int) *locks {
	return &locks{size: size, maxWaiting: maxWaiting, slots: slots, mailboxes: map[string][]*queued{}}
}

// do runs fn once it has locked the mailboxes of these owners and taken a slot. The end
// of ctx ends the wait, but not fn. Errors: [ErrTooMany], [ErrCrowded], [ErrTooSlow]; those of
// ctx and fn.
func (l *locks) do(ctx context.Context, owners []string, fn func() error) error {
	q := &queued{owners: slices.Compact(slices.Sorted(slices.Values(owners))), turn: make(chan struct{})}
	if err := l.enter(q); err != nil {
		return err
	}
	defer l.leave(q)
	waiting, cancel := context.WithTimeoutCause(ctx, lockTimeout, ErrTooSlow)
	defer cancel()
	select {
	case <-q.turn:
		return fn()
	case <-waiting.Done():
		return context.Cause(waiting)
	}
}

// enter queues a change. Errors: [ErrTooMany], [ErrCrowded].
func (l *locks) enter(q *queued) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.running+len(l.waiting) == l.size {
		return ErrTooMany
	}
	for _, owner := range q.owners {
		if len(l.mailboxes[owner]) > l.maxWaiting {
			return ErrCrowded
		}
	}
	for _, owner := range q.owners {
		if len(l.mailboxes[owner]) > 0 {
			q.missing++
		}
		l.mailboxes[owner] = append(l.mailboxes[owner], q)
	}
	l.waiting = append(l.waiting, q)
	l.start()
	return nil
}

// leave ends a change, also one that has given up, and hands what it has to the next.
func (l *locks) leave(q *queued) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, owner := range q.owners {
		queue := l.mailboxes[owner]
		i := slices.Index(queue, q)
		queue = slices.Delete(queue, i, i+1)
		l.mailboxes[owner] = queue
		switch {
		case len(queue) == 0:
			delete(l.mailboxes, owner)
		case i == 0:
			queue[0].missing--
		}
	}
	if q.runs {
		l.running--
	} else {
		i := slices.Index(l.waiting, q)
		l.waiting = slices.Delete(l.waiting, i, i+1)
	}
	l.start()
}

// start lets those run that can.
func (l *locks) start() {
	if l.running == l.slots {
		return
	}
	l.waiting = slices.DeleteFunc(l.waiting, func(q *queued) bool {
		if q.missing == 0 && l.running < l.slots {
			l.running++
			q.runs = true
			close(q.turn)
		}
		return q.runs
	})
}

// length is the number of changes that run or wait.
func (l *locks) length() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.running + len(l.waiting)
}
