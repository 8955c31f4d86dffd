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

// locks are FIFO locks of mailboxes in memory, and a semaphore. Changes take them before they begin
// a transaction: a change that waited for a row lock in the database would occupy a connection.
type locks struct {
	size       int           // changes that may run or wait at a time
	maxWaiting int           // changes that may wait for one mailbox, so that others have room
	slots      chan struct{} // the semaphore: holds one for each change that runs

	mu        sync.Mutex
	active    int                        // changes that run or wait
	mailboxes map[string][]chan struct{} // the locked mailboxes, and the changes that wait for each
}

func newLocks(size, maxWaiting, slots int) *locks {
	return &locks{size: size, maxWaiting: maxWaiting, slots: make(chan struct{}, slots), mailboxes: map[string][]chan struct{}{}}
}

// do runs fn once it has locked the mailboxes of these owners and taken a slot. The end
// of ctx ends the wait, but not fn. Errors: [ErrTooMany], [ErrCrowded], [ErrTooSlow]; those of
// ctx and fn.
func (l *locks) do(ctx context.Context, owners []string, fn func() error) error {
	if !l.enter() {
		return ErrTooMany
	}
	defer l.leave()
	waiting, cancel := context.WithTimeoutCause(ctx, lockTimeout, ErrTooSlow)
	defer cancel()
	owners = slices.Compact(slices.Sorted(slices.Values(owners))) // all changes lock in this order, which prevents deadlocks
	for i, owner := range owners {
		if err := l.lock(waiting, owner); err != nil {
			l.unlock(owners[:i])
			return err
		}
	}
	defer l.unlock(owners)
	select {
	case l.slots <- struct{}{}:
		defer func() { <-l.slots }()
	case <-waiting.Done():
		return context.Cause(waiting)
	}
	return fn()
}

// enter counts a change, and reports whether there was room for it.
func (l *locks) enter() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.active == l.size {
		return false
	}
	l.active++
	return true
}

// length is the number of changes that run or wait.
func (l *locks) length() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.active
}

func (l *locks) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.active--
}

// lock locks a mailbox. Errors: [ErrCrowded]; the cause of the end of ctx.
func (l *locks) lock(ctx context.Context, owner string) error {
	locked, err := l.enqueue(owner)
	if err != nil {
		return err
	}
	select {
	case <-locked:
		return nil
	case <-ctx.Done():
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if i := slices.Index(l.mailboxes[owner], locked); i >= 0 {
		l.mailboxes[owner] = slices.Delete(l.mailboxes[owner], i, i+1)
	} else { // the lock was handed over at the same time
		l.handOver(owner)
	}
	return context.Cause(ctx)
}

// enqueue returns a channel that is closed once the caller holds the lock of a mailbox.
func (l *locks) enqueue(owner string) (chan struct{}, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	locked := make(chan struct{})
	waiting, held := l.mailboxes[owner]
	switch {
	case !held:
		l.mailboxes[owner] = nil
		close(locked)
	case len(waiting) == l.maxWaiting:
		return nil, ErrCrowded
	default:
		l.mailboxes[owner] = append(waiting, locked)
	}
	return locked, nil
}

// unlock hands each mailbox over to the next change that waits for it.
func (l *locks) unlock(owners []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, owner := range owners {
		l.handOver(owner)
	}
}

func (l *locks) handOver(owner string) {
	waiting := l.mailboxes[owner]
	if len(waiting) == 0 {
		delete(l.mailboxes, owner)
		return
	}
	close(waiting[0])
	l.mailboxes[owner] = waiting[1:]
}
