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

// inboxTest is a service with groups whose rows are stored as they are.
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

func (s *inboxTest) exec(statement string, args ...any) {
	s.t.Helper()
	err := s.db.Tx(s.t.Context(), time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, tx.Rebind(statement), args...)
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
}

// group makes a group with members.
func (s *inboxTest) group(address string, members ...string) {
	s.t.Helper()
	since := s.mailboxes.NewIDs(1)[0]
	s.exec(`INSERT INTO groups (group_id, name, history, member_count, version, created, changed) VALUES (?, ?, 'all', ?, 1, ?, ?)`,
		address, "the name of "+address, len(members), since, since)
	s.exec(`INSERT INTO mailboxes (user_id, clock) VALUES (?, ?)`, address, since)
	for _, user := range members {
		s.join(address, user, ID{})
	}
}

// join makes a user a member of a group, who sees its messages from an id on, and returns since when.
func (s *inboxTest) join(address, user string, visibleFrom ID) (since ID) {
	s.t.Helper()
	since = s.mailboxes.NewIDs(1)[0]
	s.exec(`INSERT INTO memberships (user_id, group_id, role, state, since, visible_from, changed) VALUES (?, ?, 'member', 'active', ?, ?, ?)
		ON CONFLICT (user_id, group_id) DO UPDATE SET state = 'active', since = excluded.since, visible_from = excluded.visible_from`,
		user, address, since, visibleFrom, since)
	return since
}

// post stores a message to a group.
func (s *inboxTest) post(sender, address, text string) Message {
	s.t.Helper()
	m := Message{ID: s.mailboxes.NewIDs(1)[0], Sender: sender, Recipient: address, Text: text}
	s.exec(`INSERT INTO messages (recipient, id, sender, text) VALUES (?, ?, ?, ?)`, address, m.ID, sender, text)
	s.exec(`UPDATE groups SET last_message_id = ? WHERE group_id = ?`, m.ID, address)
	return m
}

func (s *inboxTest) direct(sender, recipient string) Message {
	s.t.Helper()
	m, _, err := s.Send(s.t.Context(), AsService, Draft{Sender: sender, Recipient: recipient, Text: "x"})
	if err != nil {
		s.t.Fatal(err)
	}
	return m
}

// inbox returns the peers of a user's conversations, from all pages of a size.
func (s *inboxTest) inbox(user string, limit int) (peers []string) {
	s.t.Helper()
	var before *ID
	for {
		page, err := s.ListConversations(s.t.Context(), AsUser(user), user, before, limit)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, c := range page.Conversations {
			peers = append(peers, c.Peer)
		}
		if !page.HasMore {
			return peers
		}
		before = &page.Next
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
		s.direct("alice", "bob")
		s.group("~quiet", "bob", "carol")
		s.direct("carol", "bob")
		s.group("~busy", "bob", "carol")
		s.direct("dora", "bob")
		s.expect("bob", "dora", "~busy", "carol", "~quiet", "alice")
		last := s.post("carol", "~busy", "hello")
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
		s.exec(`UPDATE memberships SET state = 'left' WHERE user_id = 'carol' AND group_id = '~busy'`)
		s.expect("carol", "bob", "~quiet")
	})
}

// TestInboxOfALateMember expects that who joins a group later sees its line where they joined, and of its messages those
// that they may see; what came before they joined is not unread.
func TestInboxOfALateMember(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := newInboxTest(t, engine)
		s.group("~team", "alice")
		old := s.post("alice", "~team", "before")
		s.direct("alice", "bob")
		joined := s.join("~team", "bob", ID{})
		if c := s.conversation("bob", "~team"); c.LastMessage.ID != old.ID || c.Position != joined || c.Unread != 0 {
			t.Errorf("with the history: %+v", c)
		}
		s.expect("bob", "~team", "alice")
		s.join("~team", "carol", s.mailboxes.NewIDs(1)[0])
		if c := s.conversation("carol", "~team"); c.LastMessage.ID != (ID{}) || c.Unread != 0 {
			t.Errorf("without the history: %+v", c)
		}
		last := s.post("alice", "~team", "after")
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

// TestHiddenAndMuted hides and mutes conversations of both kinds.
func TestHiddenAndMuted(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := newInboxTest(t, engine)
		s.group("~team", "alice", "bob")
		for peer, send := range map[string]func() Message{
			"alice": func() Message { return s.direct("alice", "bob") },
			"~team": func() Message { return s.post("alice", "~team", "x") },
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

// TestUnreadInGroups expects that of the newest 200 messages those of others count, up to 100, and none up to the marker.
func TestUnreadInGroups(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := newInboxTest(t, engine)
		s.group("~team", "alice", "bob")
		first := s.post("alice", "~team", "x")
		for range 150 {
			s.post("alice", "~team", "x")
		}
		if got := s.conversation("bob", "~team").Unread; got != UnreadMax {
			t.Errorf("%d unread", got)
		}
		for range 150 {
			s.post("bob", "~team", "x")
		}
		if got := s.conversation("bob", "~team").Unread; got != 50 {
			t.Errorf("%d unread among the newest", got)
		}
		if got := s.unread(); got != (Unread{1, 50}) {
			t.Errorf("unread: %+v", got)
		}
		last := s.post("alice", "~team", "x")
		for marker, want := range map[ID]int{first.ID: 51 - 1, s.post("alice", "~team", "x").ID: 0, last.ID: 1} {
			s.exec(`INSERT INTO read_markers (owner, peer, message_id, changed) VALUES ('bob', '~team', ?, ?)
				ON CONFLICT (owner, peer) DO UPDATE SET message_id = excluded.message_id`, marker, marker)
			if got := s.conversation("bob", "~team").Unread; got != want {
				t.Errorf("%d unread after a marker, want %d", got, want)
			}
		}
	})
}
