package feed

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/message-service/message-service/internal/messaging"
)

// joining is a hub that does not run, with live mailboxes whose groups it does not know yet.
type joining struct {
	*Hub
	Source

	memberships map[string]map[string]messaging.ID // by user
	unknown     map[*mailbox]messaging.ID          // with their cursors
}

// newJoining makes a hub of users who are in as many groups each, all in the same ones or each in others.
func newJoining(users, groups int, shared bool) *joining {
	j := &joining{memberships: map[string]map[string]messaging.ID{}, unknown: map[*mailbox]messaging.ID{}}
	j.Hub = &Hub{
		source: j, ready: make(chan struct{}, 1), mailboxes: map[string]*mailbox{}, woken: map[*mailbox]struct{}{},
		groups: map[string]*group{}, changed: map[*group]struct{}{},
	}
	for n := range users {
		m := &mailbox{user: fmt.Sprint(n), live: make([]*Stream, 1)}
		j.mailboxes[m.user], j.unknown[m] = m, messaging.ID{}
		in := make(map[string]messaging.ID, groups)
		for number := range groups {
			if !shared {
				number += n * groups
			}
			in[fmt.Sprintf("~%036d", number)] = messaging.ID{}
		}
		j.memberships[m.user] = in
	}
	return j
}

// ListMemberships returns those of all users.
func (j *joining) ListMemberships(context.Context, []string) (map[string]map[string]messaging.ID, error) {
	return j.memberships, nil
}

// TestMemoryOfGroups has mailboxes follow 1,000 groups each, as streams do whose users are in them: it takes no more memory
// than docs/operations.md says.
func TestMemoryOfGroups(t *testing.T) {
	const users, groups = 100, 1000
	heap := func() int64 {
		var stats runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&stats)
		return int64(stats.HeapAlloc)
	}
	for name, test := range map[string]struct {
		shared bool
		most   int64
	}{"the same groups": {true, 120}, "groups of their own": {false, 400}} {
		empty := heap()
		j := newJoining(users, groups, test.shared)
		if err := j.findGroups(t.Context(), j.unknown); err != nil {
			t.Fatal(err)
		}
		j.memberships = nil // as they are once they were read
		if used := (heap() - empty) / users / groups; used > test.most {
			t.Errorf("%s: %d bytes a membership", name, used)
		}
		runtime.KeepAlive(j)
	}
}

// TestJoinsOneByOne learns the groups of many users again and again, until somebody who needs the hub's lock, as a writer that
// publishes does, gets it between two of them.
func TestJoinsOneByOne(t *testing.T) {
	t.Parallel()
	const users, rounds = 50, 1000
	j := newJoining(users, 100, true)
	var between, ended atomic.Bool
	go func() {
		defer ended.Store(true)
		for n := 0; n < rounds && !between.Load(); n++ {
			if err := j.findGroups(t.Context(), j.unknown); err != nil {
				t.Error(err)
			}
			j.mu.Lock()
			for m := range j.unknown {
				j.forgetGroups(m)
			}
			j.mu.Unlock()
		}
	}()
	for !ended.Load() {
		j.mu.Lock()
		known := 0
		for m := range j.unknown {
			if m.groups != nil {
				known++
			}
		}
		j.mu.Unlock()
		between.Store(between.Load() || known > 0 && known < users)
	}
	if !between.Load() {
		t.Errorf("nobody got the lock before the groups of all %d users were known, in %d rounds", users, rounds)
	}
}
