package feed

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/message-service/message-service/internal/messaging"
)

// TestHubGroupsModel changes groups, whose members come and go, and mailboxes, many at a time, and loses, delays and
// reorders their hints, and what is handed over, while streams read, and are closed and resumed at random: each follower gets every change that is stored
// after its start and that they may see, once and in order, and of groups none from when they were not a member, or from
// before what they may see.
func TestHubGroupsModel(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(struct{ testing.TB }{t}, func(t *rapid.T) {
			m := &hubModel{followed: follow(Options{})}
			defer m.hub.Close()
			defer m.closeAll()
			for user := range 3 {
				for group := range 3 {
					if rapid.IntRange(0, 3).Draw(t, "is in it") > 0 {
						m.join(fmt.Sprint("user-", user), fmt.Sprint("~group-", group), true)
					}
				}
				f := &follower{user: fmt.Sprint("user-", user)}
				m.reopen(t, f)
				m.followers = append(m.followers, f)
			}
			pause(t.Context(), time.Second)
			t.Repeat(map[string]func(*rapid.T){
				"burst": m.burst, "a burst": m.burst, "another": m.burst, "hand": m.handSome, "next": m.next, "all": m.readAll, "resume": m.resume,
				"open": m.openOne, "slow": m.slowDown, "hint": m.hintGroup, "fail": m.failOrNot,
			})
			m.check(t)
		})
	})
}

func drawGroup(t *rapid.T) string {
	return fmt.Sprint("~group-", rapid.IntRange(0, 2).Draw(t, "group"))
}

// burst does some things within a few intervals of the hub.
func (m *hubModel) burst(t *rapid.T) {
	for range rapid.IntRange(1, 6).Draw(t, "changes") {
		change, addresses := m.drawChange(t)
		late, hint := drawTime(t, 10), rapid.IntRange(0, 4).Draw(t, "hint") > 0
		time.AfterFunc(drawTime(t, 20), func() {
			change()
			if hint {
				time.AfterFunc(late, func() { m.bus.Publish(addresses, nil) })
			}
		})
	}
}

// drawChange draws a change and what is published of it.
func (m *hubModel) drawChange(t *rapid.T) (change func(), addresses []string) {
	user, group, all := drawUser(t), drawGroup(t), rapid.Bool().Draw(t, "all")
	n := m.length(group)
	recent := rapid.IntRange(max(0, n-4), max(0, n-1)).Draw(t, "edited")
	edit := func() {
		if recent < m.length(group) {
			m.change(group, recent)
		}
	}
	both := []string{group, user}
	type drawn struct {
		change    func()
		addresses []string
	}
	d := rapid.SampledFrom([]drawn{
		{func() { m.send(group, "one") }, []string{group}},
		{func() { m.send(group, "one") }, []string{group}},
		{func() { m.send(group, "some", "more") }, []string{group}},
		{func() { m.send(group, numbers(0, 70)...) }, []string{group}},
		{edit, []string{group}},
		{edit, []string{group}},
		{func() { m.add(user, "direct") }, []string{user}},
		{func() { m.join(user, group, all) }, both},
		{func() { m.leave(user, group) }, both},
		{func() { m.leave(user, group); m.join(user, group, all) }, both},
		{func() { m.leave(user, group); m.send(group, "without them"); m.join(user, group, all) }, both},
		{func() { m.end(group) }, []string{group}},
	}).Draw(t, "change")
	return d.change, d.addresses
}

func (m *hubModel) hintGroup(t *rapid.T) { m.bus.Publish([]string{drawGroup(t), "~none"}, nil) }

// readAll reads what comes for everybody.
func (m *hubModel) readAll(t *rapid.T) {
	for _, f := range m.followers {
		for m.read(t, f) {
			continue
		}
	}
}

// seen fails for a change that the follower was not to see.
func (m *hubModel) seen(t *rapid.T, f *follower, c messaging.Change) {
	if !m.mayHaveSeen(f.user, c) {
		t.Fatalf("%s was shown %+v", f.user, c)
	}
}
