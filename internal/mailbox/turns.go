package mailbox

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// turnTimeout bounds the wait of a change for its turn.
const turnTimeout = 10 * time.Second

// Why a change was not made, nor begun.
var (
	ErrTooMany = errors.New("too many changes wait")
	ErrCrowded = errors.New("too many changes wait for one mailbox")
	ErrTooSlow = errors.New("other changes in the same mailboxes take too long")
)

// turns are taken by changes before they begin. Who waits for a mailbox that another change
// has locked waits here, in memory and in the order they came, since each that waited in
// the database would take a connection from everyone else.
type turns struct {
	size  int           // changes that may be here at a time
	line  int           // of those, how many may wait for one mailbox, so that it leaves room for others
	slots chan struct{} // the changes that are in the database

	mu        sync.Mutex
	present   int
	mailboxes map[string][]chan struct{} // those that are held, and who waits for them
}

func newTurns(size, line, slots int) *turns {
	return &turns{size: size, line: line, slots: make(chan struct{}, slots), mailboxes: map[string][]chan struct{}{}}
}

// do runs fn once no other change has a mailbox of these owners and there is a slot. The end
// of ctx ends the wait, and not fn. Errors: [ErrTooMany], [ErrCrowded], [ErrTooSlow]; those of
// ctx and fn.
func (t *turns) do(ctx context.Context, owners []string, fn func() error) error {
	if !t.enter() {
		return ErrTooMany
	}
	defer t.leave()
	waiting, cancel := context.WithTimeoutCause(ctx, turnTimeout, ErrTooSlow)
	defer cancel()
	owners = slices.Compact(slices.Sorted(slices.Values(owners))) // everyone in this order, so that nobody waits in a circle
	for i, owner := range owners {
		if err := t.lock(waiting, owner); err != nil {
			t.unlock(owners[:i])
			return err
		}
	}
	defer t.unlock(owners)
	select {
	case t.slots <- struct{}{}:
		defer func() { <-t.slots }()
	case <-waiting.Done():
		return context.Cause(waiting)
	}
	return fn()
}

// enter counts a change, unless there are as many as there may be.
func (t *turns) enter() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.present == t.size {
		return false
	}
	t.present++
	return true
}

// length is how many changes are here.
func (t *turns) length() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.present
}

func (t *turns) leave() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.present--
}

// lock takes a mailbox. Errors: [ErrCrowded]; the cause of the end of ctx.
func (t *turns) lock(ctx context.Context, owner string) error {
	turn, err := t.lineUp(owner)
	if err != nil {
		return err
	}
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if i := slices.Index(t.mailboxes[owner], turn); i >= 0 {
		t.mailboxes[owner] = slices.Delete(t.mailboxes[owner], i, i+1)
	} else { // it has become this one's turn at the same time
		t.next(owner)
	}
	return context.Cause(ctx)
}

// lineUp returns what is closed once it is this one's turn to have a mailbox.
func (t *turns) lineUp(owner string) (chan struct{}, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	turn := make(chan struct{})
	line, held := t.mailboxes[owner]
	switch {
	case !held:
		t.mailboxes[owner] = nil
		close(turn)
	case len(line) == t.line:
		return nil, ErrCrowded
	default:
		t.mailboxes[owner] = append(line, turn)
	}
	return turn, nil
}

// unlock gives mailboxes to who is next.
func (t *turns) unlock(owners []string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, owner := range owners {
		t.next(owner)
	}
}

func (t *turns) next(owner string) {
	line := t.mailboxes[owner]
	if len(line) == 0 {
		delete(t.mailboxes, owner)
		return
	}
	close(line[0])
	t.mailboxes[owner] = line[1:]
}
