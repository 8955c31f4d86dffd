package messaging

import (
	"slices"
	"testing"
	"time"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// expectHidden compares the hidden conversations of bob, on pages of any size.
func (s *inboxTest) expectHidden(peers ...string) {
	s.t.Helper()
	for _, limit := range []int{1, 2, 100} {
		if got := s.peers("bob", InboxQuery{Hidden: true, Limit: limit}); !slices.Equal(got, peers) {
			s.t.Errorf("on pages of %d, %v are hidden, want %v", limit, got, peers)
		}
	}
}

// TestHiddenAndMuted hides and mutes conversations of both kinds.
func TestHiddenAndMuted(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := newInboxTest(t, engine)
		s.group("~team", "alice", "bob")
		for peer, send := range map[string]func() Message{
			"alice": func() Message { return s.send("alice", "bob", "x") },
			"~team": func() Message { return s.send("alice", "~team", "x") },
		} {
			before := s.inbox("bob", 100)
			send()
			count := s.unread()
			if c := s.update(peer, ConversationEdit{Hidden: new(true)}); !c.Hidden || c.Unread != 1 {
				t.Errorf("hidden: %+v", c)
			}
			s.expect("bob", slices.DeleteFunc(slices.Clone(before), func(p string) bool { return p == peer })...)
			if got := s.unread(); got.Conversations != count.Conversations-1 || got.Messages != count.Messages-1 {
				t.Errorf("unread beside the hidden one: %+v, was %+v", got, count)
			}
			send()
			if c := s.conversation("bob", peer); c.Hidden || c.Unread != 2 || s.inbox("bob", 1)[0] != peer {
				t.Errorf("after a newer message: %+v", c)
			}
			s.update(peer, ConversationEdit{Hidden: new(true)})
			until := new(time.Now().Add(time.Hour).Truncate(time.Microsecond).UTC())
			if c := s.update(peer, ConversationEdit{Hidden: new(false), MutedUntil: &until}); c.Hidden || c.MutedUntil == nil || !c.MutedUntil.Equal(*until) {
				t.Errorf("muted and shown: %+v", c)
			}
			if got := s.unread(); got.Conversations != count.Conversations-1 {
				t.Errorf("unread beside the muted one: %+v, was %+v", got, count)
			}
			s.now = func() time.Time { return until.Add(time.Second) }
			if got := s.unread(); got.Conversations != count.Conversations || got.Messages != count.Messages+1 {
				t.Errorf("unread after the mute: %+v, was %+v", got, count)
			}
			s.now = time.Now
			if c := s.update(peer, ConversationEdit{MutedUntil: new((*time.Time)(nil))}); c.MutedUntil != nil {
				t.Errorf("no longer muted: %+v", c)
			}
		}
		for _, peer := range []string{"carol", "~none"} {
			if _, err := s.UpdateConversation(t.Context(), AsUser("bob"), "bob", peer, ConversationEdit{Hidden: new(true)}); outcomeOf(err)[:9] != "not found" {
				t.Errorf("hide %s: %v", peer, err)
			}
		}
	})
}

// TestHiddenConversations lists what is hidden, of both kinds, the one with the newest message first, until each has a newer
// message, is shown again, or is no more.
func TestHiddenConversations(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := newInboxTest(t, engine)
		hide := func(peers ...string) {
			t.Helper()
			for _, peer := range peers {
				s.update(peer, ConversationEdit{Hidden: new(true)})
			}
		}
		s.group("~quiet", "alice", "bob")
		first := s.send("alice", "bob", "x")
		s.group("~team", "alice", "bob")
		only := s.send("carol", "bob", "x")
		s.send("alice", "~team", "x")
		s.send("bob", "bob", "x")
		s.send("dora", "bob", "x")
		s.expectHidden()
		hide("alice", "~quiet", "~team", "carol", "bob")
		s.expect("bob", "dora")
		s.expectHidden("bob", "~team", "carol", "alice", "~quiet")
		last := s.send("alice", "bob", "newer")
		s.send("alice", "~quiet", "newer")
		s.expect("bob", "~quiet", "alice", "dora")
		s.expectHidden("bob", "~team", "carol")

		if err := s.Delete(t.Context(), AsUser("alice"), last.ID); err != nil { // so the last one is that up to which it was hidden
			t.Fatal(err)
		}
		s.expectHidden("bob", "~team", "carol", "alice")
		hide("~quiet")
		s.update("bob", ConversationEdit{Hidden: new(false)})
		s.leave("~team", "bob")
		if err := s.Delete(t.Context(), AsUser("carol"), only.ID); err != nil {
			t.Fatal(err)
		}
		s.expectHidden("~quiet", "alice")
		s.expect("bob", "dora", "bob")
		if c := s.conversation("bob", "alice"); !c.Hidden || c.LastMessage.ID != first.ID {
			t.Errorf("the hidden one: %+v", c)
		}
	})
}
