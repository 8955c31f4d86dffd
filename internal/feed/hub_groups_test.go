package feed

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/message-service/message-service/internal/messaging"
)

// groupReadings forgets what has been read, and returns how often feeds, positions and groups were.
func (s *store) groupReadings() (feeds, positions, groups int) {
	s.mu.Lock()
	shared := len(s.shared)
	s.mu.Unlock()
	pages, plural, asked := s.readings()
	return len(pages) + len(plural), len(asked), shared
}

// TestHubHandsOnGroups sends to groups whose members have streams: each stream gets every change once and in order, and
// one statement reads them, and another the positions of all members.
func TestHubHandsOnGroups(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, f *followed) {
		streams := map[*Stream]int{}
		for n := range 50 {
			user := fmt.Sprint("user-", n)
			f.join(user, "~all", true)
			if n%2 == 0 {
				f.join(user, "~even", true)
			}
		}
		for n := range 50 {
			streams[f.open(t, fmt.Sprint("user-", n), nil)] = n
		}
		pause(t.Context(), time.Second)
		f.groupReadings()
		for n := range 5 {
			f.send("~all", fmt.Sprint("to all ", n))
			f.send("~even", fmt.Sprint("to even ", n))
			f.send("~all", fmt.Sprint("again ", n))
			f.bus.Publish([]string{"~all", "~even", "~none"}, nil)
			for s, user := range streams {
				if user%2 == 0 {
					expect(t, s, fmt.Sprint("to all ", n), fmt.Sprint("to even ", n), fmt.Sprint("again ", n))
				} else {
					expect(t, s, fmt.Sprint("to all ", n), fmt.Sprint("again ", n))
				}
			}
		}
		pause(t.Context(), time.Second)
		if feeds, positions, groups := f.groupReadings(); feeds != 0 || positions != 5 || groups != 5 {
			t.Errorf("it read %d feeds, and positions %d times and groups %d times", feeds, positions, groups)
		}
		for s := range streams {
			s.Close()
		}
		if len(f.hub.groups) != 0 || len(f.hub.changed) != 0 {
			t.Errorf("there remain %d groups, and %d that have changed", len(f.hub.groups), len(f.hub.changed))
		}
	})
}

// TestHubReadsTheFeedOfAMember changes more than groups, or more than the hub hears of: the hub reads the feeds of those concerned.
func TestHubReadsTheFeedOfAMember(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, f *followed) {
		for _, user := range []string{"ann", "bob", "cat"} {
			f.join(user, "~all", true)
		}
		f.join("bob", "~two", true)
		ann, bob := f.open(t, "ann", nil), f.open(t, "bob", nil)
		defer ann.Close()
		defer bob.Close()
		pause(t.Context(), time.Second)
		f.groupReadings()
		f.send("~two", "unheard of")
		f.send("~all", "heard of")
		f.bus.Publish([]string{"~all"}, nil)
		expect(t, ann, "heard of")
		expect(t, bob, "unheard of", "heard of")
		f.add("bob", "direct, and unheard of")
		f.send("~all", "heard of")
		f.bus.Publish([]string{"~all"}, nil)
		expect(t, ann, "heard of")
		expect(t, bob, "direct, and unheard of", "heard of")
		if pages, plural, _ := f.readings(); len(pages) != 0 || len(plural) != 2 || plural[0] != 1 || plural[1] != 1 {
			t.Errorf("it read %v single feeds, and %v together", pages, plural)
		}
	})
}

// TestHubLearnsOfGroups opens a stream of a user who is in a group, and adds another user to it who has a stream: what is sent
// while the hub reads which groups they are in comes without another hint.
func TestHubLearnsOfGroups(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, f *followed) {
		f.delay = func() time.Duration { return 50 * time.Millisecond }
		for n := range 30 {
			group, ann, bob := fmt.Sprint("~", n), fmt.Sprint("ann-", n), fmt.Sprint("bob-", n)
			send := func(text string) {
				time.AfterFunc(time.Duration(n)*10*time.Millisecond, func() {
					f.send(group, text)
					f.bus.Publish([]string{group}, nil)
				})
			}
			f.join(ann, group, true)
			now := f.clock(ann)
			send("one")
			first := f.open(t, ann, &now)
			expect(t, first, "one")

			first.Close()
			f.join(bob, group+"-other", true)
			second := f.open(t, bob, nil)
			pause(t.Context(), time.Second)
			f.join(bob, group, true)
			f.bus.Publish([]string{group, bob}, nil)
			send("two")
			expect(t, second, bob+" active", "two")
			second.Close()
		}
	})
}

// TestHubTakesBack removes a user to whose stream messages of the group were handed, but who has not read them: they get none of these, nor later ones
// until they are in the group again.
func TestHubTakesBack(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, f *followed) {
		f.join("ann", "~all", true)
		f.join("bob", "~all", true)
		ann, bob := f.open(t, "ann", nil), f.open(t, "bob", nil)
		defer ann.Close()
		defer bob.Close()
		pause(t.Context(), time.Second)
		f.send("~all", "before")
		f.bus.Publish([]string{"~all"}, nil)
		pause(t.Context(), time.Second)
		f.leave("bob", "~all")
		f.bus.Publish([]string{"~all", "bob"}, nil)
		f.send("~all", "after")
		f.bus.Publish([]string{"~all"}, nil)
		pause(t.Context(), time.Second)
		f.publish("bob", "direct")
		expect(t, bob, "bob removed", "direct")
		expect(t, ann, "before", "bob removed", "after")
		f.join("bob", "~all", true)
		f.bus.Publish([]string{"~all", "bob"}, nil)
		f.send("~all", "again")
		f.bus.Publish([]string{"~all"}, nil)
		expect(t, bob, "bob active", "again")
		expect(t, ann, "bob active", "again")
	})
}

// TestHubTakesOverGroups closes the only stream of a mailbox while the hub reads its groups, and another stream, with an older
// cursor, joins: the hub must not hand it what was read for the first one.
func TestHubTakesOverGroups(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, f *followed) {
		f.join("bob", "~all", true)
		first := f.open(t, "bob", nil)
		pause(t.Context(), time.Second)
		f.slow(100 * time.Millisecond)
		second := make(chan *Stream)
		go func() { second <- f.open(t, "bob", nil) }()
		synctest.Wait()
		f.send("~all", "2")
		f.bus.Publish([]string{"~all"}, nil)
		expect(t, first, "2")
		pause(t.Context(), 2*readInterval)
		f.slow(200 * time.Millisecond)
		f.send("~all", "3")
		f.bus.Publish([]string{"~all"}, nil)
		synctest.Wait()
		first.Close()
		s := <-second
		defer s.Close()
		expect(t, s, "2", "3")
	})
}

// TestWaitInGroup waits for a change of a group.
func TestWaitInGroup(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, f *followed) {
		f.join("bob", "~all", true)
		now := f.clock("bob")
		start := time.Now()
		time.AfterFunc(10*time.Second, func() {
			f.send("~all", "meanwhile")
			f.bus.Publish([]string{"~all"}, nil)
		})
		from, err := f.hub.Wait(t.Context(), messaging.AsService, "bob", now)
		if took := time.Since(start); err != nil || from != now || took < 10*time.Second || took > 11*time.Second {
			t.Errorf("it goes on from %s after %s: %v", from, took, err)
		}
	})
}
