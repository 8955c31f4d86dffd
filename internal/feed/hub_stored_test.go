package feed

import (
	"maps"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/message-service/message-service/internal/messaging"
)

// commit changes the mailbox of a user by one transaction, and returns what that has stored: a message for each text. If
// another was refused, the clock is beyond them.
func (s *store) commit(user string, refused bool, texts ...string) (stored messaging.Stored) {
	s.mu.Lock()
	defer s.mu.Unlock()
	stored.Position = s.clocks[user]
	stored.Own++
	for _, text := range texts {
		stored.Clock = s.next()
		change := messaging.Change{Cursor: stored.Clock, Message: &messaging.Message{ID: stored.Clock, Recipient: user, Text: text}}
		s.feeds[user] = append(s.feeds[user], entry{Change: change})
		stored.Changes = append(stored.Changes, change)
	}
	if refused {
		stored.Clock = s.next()
	}
	s.clocks[user] = stored.Position
	return stored
}

// hand changes the mailbox of a user by one transaction, and publishes what that has stored.
func (f *followed) hand(user string, texts ...string) {
	f.bus.Publish([]string{user}, map[string]messaging.Stored{user: f.commit(user, false, texts...)})
}

// TestHubHandsOver hands over what is stored to the streams of a user, from the first message on: they get it at once, and
// nothing is read.
func TestHubHandsOver(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, f *followed) {
		streams, alice := []*Stream{f.open(t, "bob", nil), f.open(t, "bob", nil)}, f.open(t, "alice", nil)
		defer alice.Close()
		pause(t.Context(), time.Second)
		f.readings()
		start := time.Now()
		f.hand("bob", "0")
		f.hand("alice", "to alice")
		f.hand("bob", "1", "2")
		expect(t, alice, "to alice")
		for _, s := range streams {
			expect(t, s, "0", "1", "2")
		}
		if took := time.Since(start); took != 0 {
			t.Errorf("they came after %s", took)
		}
		pause(t.Context(), time.Second)
		if pages, plural, asked := f.readings(); len(pages)+len(plural)+len(asked) != 0 {
			t.Errorf("it read %v single feeds, %v together, and %v clocks", pages, plural, asked)
		}
		for _, s := range streams {
			s.Close()
		}
	})
}

// TestHubHandsOverNothingRefused hands over transactions that stored nothing, or not their last message: what follows is handed
// over all the same.
func TestHubHandsOverNothingRefused(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, f *followed) {
		f.add("bob", "before")
		bob := f.open(t, "bob", nil)
		defer bob.Close()
		pause(t.Context(), time.Second)
		f.readings()
		refusedAll, refusedOne := f.commit("bob", true), f.commit("bob", true, "0")
		for _, stored := range []messaging.Stored{refusedAll, refusedOne} {
			f.bus.Publish([]string{}, map[string]messaging.Stored{"bob": stored})
		}
		f.hand("bob", "1")
		expect(t, bob, "0", "1")
		pause(t.Context(), time.Second)
		if _, plural, _ := f.readings(); len(plural) != 0 {
			t.Errorf("it read %v feeds together", plural)
		}
	})
}

// TestHubHandsOverNoGap has another server write between what is handed over, a stream read late, and a change of a group come
// in between: the streams get everything in order, since the hub then reads.
func TestHubHandsOverNoGap(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, f *followed) {
		f.join("bob", "~all", true)
		bob := f.open(t, "bob", nil)
		defer bob.Close()
		pause(t.Context(), time.Second)
		f.add("bob", "by another server")
		f.hand("bob", "0")
		expect(t, bob, "by another server", "0")
		f.send("~all", "to a group")
		f.hand("bob", "1")
		expect(t, bob, "to a group", "1")
		later := f.commit("bob", false, "2")
		f.hand("bob", "3")
		f.bus.Publish([]string{"bob"}, map[string]messaging.Stored{"bob": later})
		expect(t, bob, "2", "3")
	})
}

// TestHubHandsOverDuringARead hands over what was stored while the hub already reads it, with a later change that another server
// has announced, in the mailbox or in a group: that comes, too.
func TestHubHandsOverDuringARead(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, f *followed) {
		f.add("bob", "before")
		f.join("bob", "~all", true)
		bob := f.open(t, "bob", nil)
		defer bob.Close()
		pause(t.Context(), time.Second)
		for address, write := range map[string]func(string, ...string){"bob": f.add, "~all": f.send} {
			stored := f.commit("bob", false, "0")
			write(address, "by another server")
			f.slow(100 * time.Millisecond)
			f.bus.Publish([]string{address}, nil)
			synctest.Wait()
			f.bus.Publish([]string{"bob"}, map[string]messaging.Stored{"bob": stored})
			expect(t, bob, "0", "by another server")
			pause(t.Context(), time.Second)
		}
	})
}

// TestHubHandsOverNotAfterLoss has another server of the database take over without the last commits, and count as far as before:
// what it has stored meanwhile comes, too, whether to the user or to a group.
func TestHubHandsOverNotAfterLoss(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, f *followed) {
		f.join("bob", "~all", true)
		bob := f.open(t, "bob", nil)
		defer bob.Close()
		pause(t.Context(), time.Second)
		for _, hint := range []func(){
			func() { f.hand("bob", "handed") },
			func() { f.send("~all", "handed"); f.bus.Publish([]string{"~all"}, nil) },
		} {
			end := f.lose("bob", func() { f.hand("bob", "lost", "lost"); f.hand("bob", "lost") })
			expect(t, bob, "lost", "lost", "lost")
			f.add("bob", "0", "1")
			if f.clocks["bob"].Own != end.Own {
				t.Fatalf("it has counted to %+v, and before to %+v", f.clocks["bob"], end)
			}
			hint()
			expect(t, bob, "0", "1", "handed")
		}
	})
}

// TestHubForgetsLostMembership has another server take over that has lost that a user joined a group: they get nothing of it, even if
// as many changes were read as their mailbox has counted.
func TestHubForgetsLostMembership(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, f *followed) {
		f.join("bob", "~all", true)
		f.join("bob", "~some", true)
		bob := f.open(t, "bob", nil)
		defer bob.Close()
		pause(t.Context(), time.Second)
		f.lose("bob", func() {
			f.join("bob", "~lost", true)
			f.bus.Publish([]string{"bob"}, nil)
			expect(t, bob, "bob active")
		})
		f.publish("bob", "0")
		expect(t, bob, "0")
		pause(t.Context(), time.Second)
		f.send("~all", "1")
		f.send("~lost", "not to bob")
		f.send("~some", "2")
		f.bus.Publish([]string{"~lost", "~some"}, nil)
		expect(t, bob, "1", "2")
	})
}

// lose has the database lose the changes of a user that fn makes, as another server of it takes over. It returns where
// the mailbox ended before.
func (s *store) lose(user string, fn func()) messaging.Position {
	before, feed, groups := s.clocks[user], slices.Clone(s.feeds[user]), maps.Clone(s.groups[user])
	fn()
	end := s.clocks[user]
	before.Server += "another"
	s.clocks[user], s.feeds[user], s.groups[user] = before, feed, groups
	return end
}

// TestHubFollows expects that only mailboxes are followed that have streams which have caught up.
func TestHubFollows(t *testing.T) {
	inBubble(t, Options{}, func(t *testing.T, f *followed) {
		f.add("bob", numbers(0, 300)...)
		expectFollowed := func(want ...string) {
			t.Helper()
			if got := f.bus.Followed([]string{"alice", "bob", "carol"}); !slices.Equal(got, want) {
				t.Errorf("it follows %v, want %v", got, want)
			}
		}
		expectFollowed()
		alice, behind := f.open(t, "alice", nil), f.open(t, "bob", &messaging.ID{})
		pause(t.Context(), time.Second)
		expectFollowed("alice")
		expect(t, behind, numbers(0, 300)...)
		pause(t.Context(), time.Second)
		expectFollowed("alice", "bob")
		alice.Close()
		expectFollowed("bob")
		behind.Close()
		expectFollowed()
	})
}
