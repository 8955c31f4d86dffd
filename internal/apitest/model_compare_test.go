package apitest_test

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

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
			func(m *modelMessage) bool { return m.Sender == user })
		for _, words := range []string{"edited", "TEX", "3 edi"} {
			list(words+" to "+user, s.List(r.t, client.ListMessagesParams{Recipient: &user, Q: &words}).Messages,
				func(m *modelMessage) bool { return m.Recipient == user && m.has(words) })
			list(words+" from "+user, s.List(r.t, client.ListMessagesParams{Sender: &user, Q: &words}).Messages,
				func(m *modelMessage) bool { return m.Sender == user && m.has(words) })
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
	}
}

func (r *modelRun) compareConversations(s *apitest.Client, user string) {
	r.t.Helper()
	var want []string
	for _, peer := range r.users {
		if messages := r.model.list(r.model.between(user, peer)); len(messages) > 0 {
			want = append(want, fmt.Sprintf("%s %s: %d unread, %s, %s", messages[0], peer, r.model.unread(user, peer),
				r.model.markers[pair{user, peer}], r.model.markers[pair{peer, user}]))
		}
	}
	slices.SortFunc(want, func(a, b string) int { return cmp.Compare(b, a) })
	var got []string
	for _, c := range s.Conversations(r.t, user, client.ListConversationsParams{}).Conversations {
		if single := s.Conversation(r.t, user, c.Peer); !reflect.DeepEqual(single, c) {
			r.t.Errorf("%s and %s: listed %+v, and read %+v", user, c.Peer, c, single)
		}
		var mine, theirs client.ReadMarker
		if c.ReadMarker != nil {
			mine = *c.ReadMarker
		}
		if c.PeerReadMarker != nil {
			theirs = *c.PeerReadMarker
		}
		got = append(got, fmt.Sprintf("%s %s: %d unread, %s, %s", c.LastMessage.ID, c.Peer, c.UnreadCount, mine.MessageID, theirs.MessageID))
	}
	if !slices.Equal(got, want) {
		r.t.Errorf("conversations of %s:\n%s\nwant\n%s", user, strings.Join(got, "\n"), strings.Join(want, "\n"))
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
