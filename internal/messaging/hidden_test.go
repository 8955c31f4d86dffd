package messaging

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

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

// mute mutes a conversation of bob for an hour.
func (s *inboxTest) mute(peer string) time.Time {
	s.t.Helper()
	until := time.Now().Add(time.Hour).Truncate(time.Microsecond).UTC()
	s.update(peer, ConversationEdit{MutedUntil: new(&until)})
	return until
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

// TestMuteStays deletes the only message of a conversation, which one of its users has muted and the other has hidden: it is
// in no list any more, but muted once they write again.
func TestMuteStays(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := newInboxTest(t, engine)
		only := s.send("alice", "bob", "x")
		until := s.mute("alice")
		if _, err := s.UpdateConversation(t.Context(), AsUser("alice"), "alice", "bob", ConversationEdit{Hidden: new(true)}); err != nil {
			t.Fatal(err)
		}
		if err := s.Delete(t.Context(), AsUser("alice"), only.ID); err != nil {
			t.Fatal(err)
		}
		_, found := s.GetConversation(t.Context(), AsUser("alice"), "alice", "bob")
		_, updated := s.UpdateConversation(t.Context(), AsUser("alice"), "alice", "bob", ConversationEdit{MutedUntil: new(&until)})
		_, marked := s.SetReadMarker(t.Context(), AsUser("bob"), "bob", "alice", only.ID)
		if outcomeOf(found) != "not found" || outcomeOf(updated) != "not found" || outcomeOf(marked) != "invalid argument messageId" {
			t.Errorf("without messages: %v, %v, %v", found, updated, marked)
		}
		for range 2 { // the second is that which the first returned
			if c := s.update("alice", ConversationEdit{Hidden: new(false)}); !c.Hidden || c.MutedUntil == nil || !c.MutedUntil.Equal(until) || c.LastMessage.ID != (ID{}) {
				t.Errorf("without messages it is %+v", c)
			}
		}
		s.now = func() time.Time { return until }
		if _, err := s.GetConversation(t.Context(), AsUser("bob"), "bob", "alice"); outcomeOf(err) != "not found" {
			t.Errorf("after the mute: %v", err)
		}
		s.now = time.Now
		s.expect("bob")
		s.expectHidden()
		var listed int // by servers of the version before
		read(t, s.Service, func(ctx context.Context, q sqlx.QueryerContext) error {
			return sqlx.GetContext(ctx, q, &listed, "SELECT count(*) FROM conversations WHERE owner = 'bob' AND (hidden IS NULL OR last_message_id > hidden)")
		})
		if listed > 0 {
			t.Error("servers of the version before list it")
		}
		s.send("alice", "bob", "x")
		if c := s.conversation("bob", "alice"); c.Hidden || c.MutedUntil == nil || !c.MutedUntil.Equal(until) {
			t.Errorf("they write again: %+v", c)
		}
		if c := s.conversation("alice", "bob"); c.Hidden || c.MutedUntil != nil {
			t.Errorf("for alice: %+v", c)
		}
		s.expect("bob", "alice")
		if got := s.unread(); got != (Unread{}) {
			t.Errorf("unread beside the muted one: %+v", got)
		}
	})
}

// TestMuteEnds reads conversations of both kinds and one that has ended, all muted, when the mutes are over: nothing is left of
// them, not in an export, nor with the next message.
func TestMuteEnds(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := newInboxTest(t, engine)
		s.group("~team", "alice", "bob")
		s.send("alice", "bob", "x")
		only := s.send("carol", "bob", "x")
		peers := []string{"alice", "carol", "~team"}
		var until time.Time
		for _, peer := range peers {
			until = s.mute(peer)
		}
		if err := s.Delete(t.Context(), AsUser("carol"), only.ID); err != nil {
			t.Fatal(err)
		}
		exported := func() (muted []string) {
			err := s.ExportUser(t.Context(), AsUser("bob"), "bob", func(r Record) error {
				switch {
				case r.Settings != nil:
					muted = append(muted, r.Settings.Peer)
				case r.Membership != nil && r.Membership.MutedUntil != nil:
					muted = append(muted, r.Membership.Group)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			slices.Sort(muted)
			return muted
		}
		if got := exported(); !slices.Equal(got, peers) {
			t.Errorf("exported the mutes of %v", got)
		}
		s.now = func() time.Time { return until }
		if got := exported(); got != nil {
			t.Errorf("once they are over, exported the mutes of %v", got)
		}
		s.send("carol", "bob", "x")
		for _, peer := range peers {
			if c := s.conversation("bob", peer); c.MutedUntil != nil {
				t.Errorf("once it is over: %+v", c)
			}
			if c := s.update(peer, ConversationEdit{MutedUntil: new(&until)}); c.MutedUntil != nil {
				t.Errorf("muted until now: %+v", c)
			}
		}
		page, err := s.ListConversations(t.Context(), AsUser("bob"), "bob", InboxQuery{Limit: 100})
		if err != nil || len(page.Conversations) != len(peers) {
			t.Fatalf("%+v, %v", page, err)
		}
		for _, c := range page.Conversations {
			if c.MutedUntil != nil {
				t.Errorf("once it is over, listed as %+v", c)
			}
		}
	})
}

// TestMutesOfErased erases bob, whom alice has muted as he has her and carol, with whom there is no message any more.
func TestMutesOfErased(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := newInboxTest(t, engine)
		s.send("alice", "bob", "x")
		only := s.send("carol", "bob", "x")
		until := s.mute("alice")
		s.mute("carol")
		if _, err := s.UpdateConversation(t.Context(), AsUser("alice"), "alice", "bob", ConversationEdit{MutedUntil: new(&until)}); err != nil {
			t.Fatal(err)
		}
		if err := s.Delete(t.Context(), AsUser("carol"), only.ID); err != nil {
			t.Fatal(err)
		}
		exported := func() (peers []string) {
			err := s.ExportUser(t.Context(), AsUser("bob"), "bob", func(r Record) error {
				if r.Settings != nil {
					peers = append(peers, r.Settings.Peer)
					if r.Settings.Hidden != nil {
						t.Errorf("exported, bob has hidden %s", r.Settings.Peer)
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			return peers
		}
		if got := exported(); !slices.Equal(got, []string{"alice", "carol"}) {
			t.Errorf("exported the mutes of %v", got)
		}
		if err := s.EraseUser(t.Context(), AsService, "bob"); err != nil {
			t.Fatal(err)
		}
		if got := exported(); got != nil {
			t.Errorf("erased, bob has muted %v", got)
		}
		s.send("bob", "alice", "x")
		if c := s.conversation("alice", "bob"); c.MutedUntil == nil || !c.MutedUntil.Equal(until) {
			t.Errorf("for alice: %+v", c)
		}
		s.expect("bob", "alice")
		if c := s.conversation("bob", "alice"); c.MutedUntil != nil {
			t.Errorf("for the next bob: %+v", c)
		}
	})
}
