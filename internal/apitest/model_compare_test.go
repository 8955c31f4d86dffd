package apitest_test

import (
	"cmp"
	"fmt"
	"net/http"
	"reflect"
	"slices"

	"github.com/google/uuid"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
)

// same compares a message with that of the model.
func (r *modelRun) same(want *modelMessage, got client.Message) {
	r.t.Helper()
	if got.ID != want.ID || got.Sender != want.Sender || got.Recipient != want.Recipient || got.Text != want.Text ||
		!reflect.DeepEqual(got.ReplyTo, want.ReplyTo) || len(got.Metadata) != len(want.Metadata) ||
		len(got.Metadata) > 0 && !reflect.DeepEqual(got.Metadata, want.Metadata) ||
		(got.EditedAt != nil) != (want.edited && !want.deleted) || (got.DeletedAt != nil) != want.deleted {
		r.t.Errorf("got %+v, want %+v", got, want)
	}
}

// compare reads all resources and compares them with the model.
func (r *modelRun) compare() {
	r.t.Helper()
	byID := map[uuid.UUID]*modelMessage{}
	for _, message := range r.model.messages {
		byID[message.ID] = message
	}
	list := func(what string, got []client.Message, wanted func(*modelMessage) bool) {
		r.t.Helper()
		want := r.model.list(wanted)
		want = want[:min(len(want), 100)]
		if !slices.Equal(ids(got), want) {
			r.t.Errorf("%s: got %v, want %v", what, ids(got), want)
		}
		for _, message := range got {
			r.same(byID[message.ID], message)
		}
	}
	for _, user := range r.users {
		s := r.as(user)
		list("to "+user, s.List(r.t, client.ListMessagesParams{Recipient: &user}).Messages,
			func(m *modelMessage) bool { return m.Recipient == user })
		list("from "+user, s.List(r.t, client.ListMessagesParams{Sender: &user}).Messages,
			func(m *modelMessage) bool { return m.Sender == user && !isGroup(m.Recipient) })
		for _, words := range []string{"edited", "TEX", "3 edi"} {
			list(words+" to "+user, s.List(r.t, client.ListMessagesParams{Recipient: &user, Q: &words}).Messages,
				func(m *modelMessage) bool { return m.Recipient == user && m.has(words) })
			list(words+" from "+user, s.List(r.t, client.ListMessagesParams{Sender: &user, Q: &words}).Messages,
				func(m *modelMessage) bool { return m.Sender == user && !isGroup(m.Recipient) && m.has(words) })
			list(words+" of all that "+user+" sees", s.Search(r.t, user, client.SearchMessagesParams{Q: words}).Messages,
				func(m *modelMessage) bool { return r.model.sees(user, m) && m.has(words) })
		}
		for _, peer := range r.users {
			list("from "+peer+" to "+user, s.List(r.t, client.ListMessagesParams{Recipient: &user, Sender: &peer}).Messages,
				func(m *modelMessage) bool { return m.Recipient == user && m.Sender == peer })
			list("between "+user+" and "+peer, s.Thread(r.t, user, peer, client.ListConversationMessagesParams{}).Messages,
				r.model.between(user, peer))
			list("edi between "+user+" and "+peer, s.Thread(r.t, user, peer, client.ListConversationMessagesParams{Q: new("edi")}).Messages,
				func(m *modelMessage) bool { return r.model.between(user, peer)(m) && m.has("edi") })
		}
		r.compareConversations(s, user)
		r.compareBlocks(s, user)
		r.compareGroups(user, list)
		r.compareSingly(user)
		r.compareFeed(s, user)
	}
}

func (r *modelRun) compareConversations(s *apitest.Client, user string) {
	r.t.Helper()
	lines := map[bool][]*modelLine{} // by whether they are hidden
	unread := client.Unread{}
	for _, peer := range slices.Concat(r.users, r.model.groupsOf(user)) {
		line := r.model.line(user, peer)
		if line == nil || line.position == 0 {
			continue
		}
		lines[!line.shown()] = append(lines[!line.shown()], line)
		if n := r.model.unread(user, peer); n > 0 && line.shown() && line.heard() {
			unread.Conversations++
			unread.Messages += int32(n)
		}
	}
	for _, hidden := range []bool{false, true} {
		want := lines[hidden]
		slices.SortFunc(want, func(a, b *modelLine) int { return cmp.Compare(b.position, a.position) })
		got := s.Conversations(r.t, user, client.ListConversationsParams{Hidden: &hidden}).Conversations
		if !slices.EqualFunc(got, want, func(c client.Conversation, line *modelLine) bool { return c.Peer == line.peer }) {
			r.t.Errorf("conversations of %s, hidden %t: %+v", user, hidden, got)
			for _, line := range want {
				r.t.Errorf("want %+v", *line)
			}
			return
		}
		for i, c := range got {
			r.sameLine(user, want[i], c)
		}
	}
	for _, peer := range slices.Concat(r.users, r.model.groupsOf(user)) {
		if line := r.model.line(user, peer); line != nil {
			r.sameLine(user, line, s.Conversation(r.t, user, peer))
		} else {
			apitest.Call(s.GetConversationWithResponse(r.t.Context(), user, peer)).Must(r.t, http.StatusNotFound)
		}
	}
	if got := *apitest.Call(s.GetUnreadWithResponse(r.t.Context(), user)).Must(r.t, http.StatusOK).JSON200; got != unread {
		r.t.Errorf("%s has not read %+v, want %+v", user, got, unread)
	}
}

// sameLine compares a conversation with that of the model.
func (r *modelRun) sameLine(user string, want *modelLine, got client.Conversation) {
	r.t.Helper()
	var last, mine, theirs uuid.UUID
	if got.LastMessage != nil {
		last = got.LastMessage.ID
	}
	if got.ReadMarker != nil {
		mine = got.ReadMarker.MessageID
	}
	if got.PeerReadMarker != nil {
		theirs = got.PeerReadMarker.MessageID
	}
	text := fmt.Sprintf("%s: %s, %d unread, read %s, by the peer %s, hidden %t", got.Peer, last, got.UnreadCount, mine, theirs, got.Hidden)
	last = uuid.Nil
	if want.last != nil {
		last = want.last.ID
	}
	wanted := fmt.Sprintf("%s: %s, %d unread, read %s, by the peer %s, hidden %t", want.peer, last, r.model.unread(user, want.peer),
		r.model.markers[pair{user, want.peer}].id, r.model.markers[pair{want.peer, user}].id, !want.shown())
	if text != wanted {
		r.t.Errorf("a conversation of %s is\n%s, want\n%s", user, text, wanted)
	}
	if until := want.view.mutedUntil; (until == nil) != (got.MutedUntil == nil) || until != nil && !until.Equal(*got.MutedUntil) {
		r.t.Errorf("%s has muted %s until %v, want %v", user, want.peer, got.MutedUntil, until)
	}
	g := r.model.groups[want.peer]
	if (got.Group != nil) != (g != nil) || g != nil && (got.Group.Name != g.name || int(got.Group.MemberCount) != len(r.model.members(g.address))) {
		r.t.Errorf("the conversation of %s with %s has the group %+v", user, want.peer, got.Group)
	}
}

func (r *modelRun) compareBlocks(s *apitest.Client, user string) {
	r.t.Helper()
	var got, want []string
	for _, block := range s.Blocks(r.t, user, client.ListBlocksParams{}).Blocks {
		got = append(got, block.Peer)
	}
	for _, peer := range r.users {
		if r.model.blocks[pair{user, peer}] {
			want = append(want, peer)
		}
	}
	if !slices.Equal(got, want) {
		r.t.Errorf("%s blocks %v, want %v", user, got, want)
	}
}
