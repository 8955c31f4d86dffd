package messaging

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/roster"
)

// inboxTest is a service with groups.
type inboxTest struct {
	*Service

	t *testing.T
}

func newInboxTest(t *testing.T, engine db.Engine) *inboxTest {
	t.Helper()
	service := New(dbtest.Open(t, dbtest.NewURL(t, engine)), Options{})
	t.Cleanup(func() { _ = service.Close(context.Background()) })
	return &inboxTest{service, t}
}

// group makes a group of an owner and others.
func (s *inboxTest) group(address, owner string, others ...string) {
	s.t.Helper()
	_, _, err := s.CreateGroup(s.t.Context(), AsService, NewGroup{Address: address, Name: "the name of " + address, History: roster.All, Owner: owner})
	if err != nil {
		s.t.Fatal(err)
	}
	if len(others) > 0 {
		s.join(address, roster.All, others...)
	}
}

// join makes users members of a group, in which they may see what was written before or not.
func (s *inboxTest) join(address string, history roster.History, users ...string) {
	s.t.Helper()
	if _, err := s.UpdateGroup(s.t.Context(), AsService, address, GroupEdit{History: &history}); err != nil {
		s.t.Fatal(err)
	}
	added, err := s.AddMembers(s.t.Context(), AsService, address, users)
	if err != nil || slices.ContainsFunc(added, func(a AddedMember) bool { return a.Outcome != Added }) {
		s.t.Fatalf("add to %s: %+v, %v", address, added, err)
	}
}

func (s *inboxTest) leave(address, user string) {
	s.t.Helper()
	if err := s.RemoveMember(s.t.Context(), AsService, address, user); err != nil {
		s.t.Fatal(err)
	}
}

func (s *inboxTest) send(sender, recipient, text string) Message {
	s.t.Helper()
	m, _, err := s.Send(s.t.Context(), AsService, Draft{Sender: sender, Recipient: recipient, Text: text})
	if err != nil {
		s.t.Fatal(err)
	}
	return m
}

// sendMany sends the same message many times, in no order.
func (s *inboxTest) sendMany(sender, recipient, text string, n int) {
	s.t.Helper()
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			if _, _, err := s.Send(s.t.Context(), AsService, Draft{Sender: sender, Recipient: recipient, Text: text}); err != nil {
				s.t.Error(err)
			}
		})
	}
	wg.Wait()
}

// inbox returns the peers of a user's conversations, from all pages of a size.
func (s *inboxTest) inbox(user string, limit int) []string {
	s.t.Helper()
	return s.peers(user, InboxQuery{Limit: limit})
}

// peers returns the peers of the conversations that a query selects, from all pages.
func (s *inboxTest) peers(user string, query InboxQuery) (peers []string) {
	s.t.Helper()
	for {
		page, err := s.ListConversations(s.t.Context(), AsUser(user), user, query)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, c := range page.Conversations {
			peers = append(peers, c.Peer)
		}
		if !page.HasMore {
			return peers
		}
		query.Before = &page.Next
	}
}

func (s *inboxTest) conversation(user, peer string) Conversation {
	s.t.Helper()
	c, err := s.GetConversation(s.t.Context(), AsUser(user), user, peer)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

func (s *inboxTest) update(peer string, edit ConversationEdit) Conversation {
	s.t.Helper()
	c, err := s.UpdateConversation(s.t.Context(), AsUser("bob"), "bob", peer, edit)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

func (s *inboxTest) unread() Unread {
	s.t.Helper()
	count, err := s.GetUnread(s.t.Context(), AsUser("bob"), "bob")
	if err != nil {
		s.t.Fatal(err)
	}
	return count
}

// expect compares the inbox of a user, on pages of any size.
func (s *inboxTest) expect(user string, peers ...string) {
	s.t.Helper()
	for _, limit := range []int{1, 2, 100} {
		if got := s.inbox(user, limit); !slices.Equal(got, peers) {
			s.t.Errorf("on pages of %d, the inbox of %s has %v, want %v", limit, user, got, peers)
		}
	}
}

// TestInboxOfBothKinds expects the groups and the conversations of a user in one order, in which a group has a place
// before its first message.
func TestInboxOfBothKinds(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := newInboxTest(t, engine)
		s.send("alice", "bob", "x")
		s.group("~quiet", "bob", "carol")
		s.send("carol", "bob", "x")
		s.group("~busy", "bob", "carol")
		s.send("dora", "bob", "x")
		s.expect("bob", "dora", "~busy", "carol", "~quiet", "alice")
		last := s.send("carol", "~busy", "hello")
		s.expect("bob", "~busy", "dora", "carol", "~quiet", "alice")
		s.expect("carol", "~busy", "bob", "~quiet")

		c := s.conversation("bob", "~busy")
		if c.LastMessage.ID != last.ID || c.Position != last.ID || c.Unread != 1 || c.Group.Name != "the name of ~busy" || c.Group.MemberCount != 2 {
			t.Errorf("the group: %+v", c)
		}
		if c := s.conversation("bob", "~quiet"); c.LastMessage.ID != (ID{}) || c.LastMessage.Deleted || c.Unread != 0 {
			t.Errorf("the quiet group: %+v", c)
		}
		for _, who := range []string{"dora", "bob"} {
			peer := map[string]string{"dora": "~busy", "bob": "~none"}[who]
			if _, err := s.GetConversation(t.Context(), AsUser(who), who, peer); outcomeOf(err) != "not found peerId" {
				t.Errorf("%s reads %s: %v", who, peer, err)
			}
		}
		s.leave("~busy", "carol")
		s.expect("carol", "bob", "~quiet")
	})
}

// TestInboxOfALateMember expects that who joins a group later sees its line where they joined, and of its messages those
// that they may see; what came before they joined is not unread.
func TestInboxOfALateMember(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := newInboxTest(t, engine)
		s.group("~team", "alice")
		old := s.send("alice", "~team", "before")
		s.send("alice", "bob", "x")
		s.join("~team", roster.All, "bob")
		if c := s.conversation("bob", "~team"); c.LastMessage.ID != old.ID || c.Position.Compare(old.ID) <= 0 || c.Unread != 0 {
			t.Errorf("with the history: %+v", c)
		}
		s.expect("bob", "~team", "alice")
		s.join("~team", roster.None, "carol")
		if c := s.conversation("carol", "~team"); c.LastMessage.ID != (ID{}) || c.Unread != 0 {
			t.Errorf("without the history: %+v", c)
		}
		last := s.send("alice", "~team", "after")
		for _, user := range []string{"bob", "carol"} {
			if c := s.conversation(user, "~team"); c.LastMessage.ID != last.ID || c.Unread != 1 {
				t.Errorf("%s: %+v", user, c)
			}
		}
		if c := s.conversation("alice", "~team"); c.Unread != 0 {
			t.Errorf("one's own messages are unread: %+v", c)
		}
	})
}

// TestUnreadInGroups expects that of the newest 200 messages those of others count, up to 100, and none up to the marker.
func TestUnreadInGroups(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := newInboxTest(t, engine)
		s.group("~team", "alice", "bob")
		first := s.send("alice", "~team", "x")
		s.sendMany("alice", "~team", "x", 150)
		if got := s.conversation("bob", "~team").Unread; got != UnreadMax {
			t.Errorf("%d unread", got)
		}
		s.sendMany("bob", "~team", "x", 150)
		if got := s.conversation("bob", "~team").Unread; got != 50 {
			t.Errorf("%d unread among the newest", got)
		}
		if got := s.unread(); got != (Unread{1, 50}) {
			t.Errorf("unread: %+v", got)
		}
		last := s.send("alice", "~team", "x")
		for _, c := range []struct {
			marker Message
			want   int
		}{{first, 50}, {last, 1}, {s.send("alice", "~team", "x"), 0}} {
			if _, err := s.SetReadMarker(t.Context(), AsUser("bob"), "bob", "~team", c.marker.ID); err != nil {
				t.Fatal(err)
			}
			if got := s.conversation("bob", "~team").Unread; got != c.want {
				t.Errorf("%d unread after a marker, want %d", got, c.want)
			}
		}
	})
}
