package messaging

import (
	"context"
	"slices"
	"sync"
	"time"
)

// admissionTimeout bounds the wait of a change for its turn.
const admissionTimeout = 10 * time.Second

// admission lets changes that are no sends into the database: edits, deletions, read
// markers, blocks and the steps of an erasure. Who waits for a mailbox that another change
// has locked waits here, in memory and in the order they came, since each that waited in
// the database would take a connection from everyone else.
type admission struct {
	size  int           // changes that may be here at a time
	line  int           // of those, how many may wait for one mailbox, so that it leaves room for others
	slots chan struct{} // the changes that are in the database

	mu        sync.Mutex
	present   int
	mailboxes map[string][]chan struct{} // those that are held, and who waits for them
}

func newAdmission(size, line, slots int) *admission {
	return &admission{size: size, line: line, slots: make(chan struct{}, slots), mailboxes: map[string][]chan struct{}{}}
}

// do runs fn once no other change has a mailbox of these users and there is a slot. The end
// of ctx ends the wait, and not fn. Errors: [Unavailable] if too many wait, at all or for one
// of the mailboxes, or for too long; those of ctx and fn.
func (a *admission) do(ctx context.Context, users []string, fn func() error) error {
	if !a.enter() {
		return &Error{Code: Unavailable, Message: "Too many changes are waiting to be stored. Try again shortly."}
	}
	defer a.leave()
	waiting, cancel := context.WithTimeoutCause(ctx, admissionTimeout,
		&Error{Code: Unavailable, Message: "Other changes of the same users take too long. Try again shortly."})
	defer cancel()
	users = slices.Compact(slices.Sorted(slices.Values(users))) // everyone in this order, so that nobody waits in a circle
	for i, user := range users {
		if err := a.lock(waiting, user); err != nil {
			a.unlock(users[:i])
			return err
		}
	}
	defer a.unlock(users)
	select {
	case a.slots <- struct{}{}:
		defer func() { <-a.slots }()
	case <-waiting.Done():
		return context.Cause(waiting)
	}
	return fn()
}

// enter counts a change, unless there are as many as there may be.
func (a *admission) enter() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.present == a.size {
		return false
	}
	a.present++
	return true
}

// length is how many changes are here.
func (a *admission) length() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.present
}

func (a *admission) leave() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.present--
}

// lock takes a mailbox. Errors: [Unavailable] if too many wait for it; the cause of the end
// of ctx.
func (a *admission) lock(ctx context.Context, user string) error {
	turn, err := a.lineUp(user)
	if err != nil {
		return err
	}
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if i := slices.Index(a.mailboxes[user], turn); i >= 0 {
		a.mailboxes[user] = slices.Delete(a.mailboxes[user], i, i+1)
	} else { // it has become this one's turn at the same time
		a.next(user)
	}
	return context.Cause(ctx)
}

// lineUp returns what is closed once it is this one's turn to have a mailbox.
func (a *admission) lineUp(user string) (chan struct{}, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	turn := make(chan struct{})
	line, held := a.mailboxes[user]
	switch {
	case !held:
		a.mailboxes[user] = nil
		close(turn)
	case len(line) == a.line:
		return nil, &Error{Code: Unavailable, Message: "Too many changes of the same users are waiting to be stored. Try again shortly."}
	default:
		a.mailboxes[user] = append(line, turn)
	}
	return turn, nil
}

// unlock gives mailboxes to who is next.
func (a *admission) unlock(users []string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, user := range users {
		a.next(user)
	}
}

func (a *admission) next(user string) {
	line := a.mailboxes[user]
	if len(line) == 0 {
		delete(a.mailboxes, user)
		return
	}
	close(line[0])
	a.mailboxes[user] = line[1:]
}
