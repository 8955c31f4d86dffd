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

// sameGroup compares a group with that of the model.
func (r *modelRun) sameGroup(want *modelGroup, got client.Group) {
	r.t.Helper()
	if got.Address != want.address || got.Name != want.name || got.Metadata["color"] != want.color || got.History != want.history ||
		int(got.MemberCount) != len(r.model.members(want.address)) || (got.UpdatedAt != nil) != want.updated || got.DeletedAt != nil {
		r.t.Errorf("the group is %+v, want %+v", got, want)
	}
}

func (m *modelMembership) String() string {
	return fmt.Sprint(m.user, " in ", m.peer, ": ", m.role, ", ", m.state)
}

func describeMembership(m client.Membership) string {
	return fmt.Sprint(m.User, " in ", m.Group, ": ", m.Role, ", ", m.State)
}

// compareGroups reads all groups as a user, and as a service.
func (r *modelRun) compareGroups(user string, list func(what string, got []client.Message, wanted func(*modelMessage) bool)) {
	r.t.Helper()
	for i := range len(r.model.groups) + 1 {
		address := fmt.Sprint("~group-", i)
		for _, name := range []string{user, ""} {
			s, status := r.server().Client, http.StatusOK
			if name != "" {
				s = r.server().As(r.t, name)
			}
			sees := func(m *modelMessage) bool {
				return m.Recipient == address && (name == "" || r.model.sees(name, m))
			}
			if r.model.role(name, address) == "" {
				status = http.StatusNotFound
			}
			ctx := r.t.Context()
			group := apitest.Call(s.GetGroupWithResponse(ctx, address)).Must(r.t, status)
			members := apitest.Call(s.ListGroupMembersWithResponse(ctx, address, nil)).Must(r.t, status)
			messages := apitest.Call(s.ListMessagesWithResponse(ctx, &client.ListMessagesParams{Recipient: &address})).Must(r.t, status)
			of := apitest.Call(s.ListMessagesWithResponse(ctx, &client.ListMessagesParams{Recipient: &address, Sender: new("bob")})).Must(r.t, status)
			found := apitest.Call(s.ListMessagesWithResponse(ctx, &client.ListMessagesParams{Recipient: &address, Q: new("tex")})).Must(r.t, status)
			if status == http.StatusOK {
				r.sameGroup(r.model.groups[address], *group.JSON200)
				r.sameMembers(address, members.JSON200.Members)
				list("to "+address+" as "+name, messages.JSON200.Messages, sees)
				list("from bob to "+address+" as "+name, of.JSON200.Messages, func(m *modelMessage) bool { return sees(m) && m.Sender == "bob" })
				list("tex to "+address+" as "+name, found.JSON200.Messages, func(m *modelMessage) bool { return sees(m) && m.has("tex") })
			}
		}
		status := http.StatusOK
		if r.model.member(user, address) == nil {
			status = http.StatusNotFound
		}
		thread := apitest.Call(r.as(user).ListConversationMessagesWithResponse(r.t.Context(), user, address, nil)).Must(r.t, status)
		found := apitest.Call(r.as(user).ListConversationMessagesWithResponse(r.t.Context(), user, address,
			&client.ListConversationMessagesParams{Q: new("edi")})).Must(r.t, status)
		if status == http.StatusOK {
			list("between "+user+" and "+address, thread.JSON200.Messages, r.model.between(user, address))
			list("edi between "+user+" and "+address, found.JSON200.Messages,
				func(m *modelMessage) bool { return r.model.between(user, address)(m) && m.has("edi") })
		} else {
			apitest.Call(r.as(user).GetConversationWithResponse(r.t.Context(), user, address)).Must(r.t, status)
		}
	}
}

func (r *modelRun) sameMembers(address string, members []client.Membership) {
	r.t.Helper()
	var got, want []string
	for _, m := range members {
		got = append(got, describeMembership(m))
	}
	for _, m := range r.model.members(address) {
		want = append(want, m.String())
	}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		r.t.Errorf("%s has the members %v, want %v", address, got, want)
	}
}

// compareSingly reads some messages, and who has read them, as a user and as a service: the newest ones, and those of the
// user's groups that are from before they may see them.
func (r *modelRun) compareSingly(user string) {
	r.t.Helper()
	var hidden []*modelMessage
	for _, message := range r.model.messages {
		if r.model.member(user, message.Recipient) != nil && !r.model.sees(user, message) && !message.deleted {
			hidden = append(hidden, message)
		}
	}
	for _, message := range slices.Concat(r.model.messages[max(0, len(r.model.messages)-15):], hidden[max(0, len(hidden)-5):]) {
		for _, name := range []string{user, ""} {
			s, status := r.server().Client, http.StatusOK
			if name != "" {
				s = r.server().As(r.t, name)
			}
			if message.deleted || name != "" && !r.model.sees(name, message) {
				status = http.StatusNotFound
			}
			got := apitest.Call(s.GetMessageWithResponse(r.t.Context(), message.ID)).Must(r.t, status)
			readers := apitest.Call(s.ListReadersWithResponse(r.t.Context(), message.ID)).Must(r.t, status)
			if status == http.StatusOK {
				r.same(message, *got.JSON200)
				if want := r.model.readers(message, r.users); !reflect.DeepEqual(*readers.JSON200, want) {
					r.t.Errorf("%s, to %s, was read by %s, want %+v", message.ID, message.Recipient, readers.Body, want)
				}
			}
		}
	}
	for _, message := range r.model.gone[max(0, len(r.model.gone)-5):] {
		apitest.Call(r.as(user).GetMessageWithResponse(r.t.Context(), message.ID)).Must(r.t, http.StatusNotFound)
	}
}

// readers returns who of some users have read a message.
func (m *model) readers(message *modelMessage, users []string) client.Readers {
	readers := client.Readers{Users: []string{}}
	for _, user := range users {
		peer := message.Recipient
		if !isGroup(peer) {
			peer = message.Sender
		}
		if user == message.Sender || !m.sees(user, message) || m.markers[pair{user, peer}].id.String() < message.ID.String() {
			continue
		}
		readers.Users = append(readers.Users, user)
		readers.Count++
	}
	return readers
}

// feedItem is a change in the feed of a user.
type feedItem struct {
	changed int
	text    string
}

// compareFeed reads the whole feed of a user in pages: it has everything once, in the order of the changes.
func (r *modelRun) compareFeed(s *apitest.Client, user string) {
	r.t.Helper()
	want := r.model.feed(user)
	times := map[string]int{}
	for _, item := range want {
		times[item.text] = item.changed
	}
	params := client.ListChangesParams{After: &uuid.Nil, Limit: new(int32(1 + r.random.IntN(100)))}
	last := feedItem{}
	for more := true; more; {
		page := s.Changes(r.t, user, params)
		for _, c := range page.Changes {
			text := describeChange(c)
			changed, is := times[text]
			if !is {
				r.t.Errorf("the feed of %s has %q, after %q", user, text, last.text)
			}
			if changed < last.changed {
				r.t.Errorf("the feed of %s has %q after %q", user, text, last.text)
			}
			delete(times, text)
			last = feedItem{changed, text}
		}
		params.After, more = &page.Next, page.HasMore
	}
	for text := range times {
		r.t.Errorf("the feed of %s lacks %q", user, text)
	}
}

// feed returns what the feed of a user has from the beginning.
func (m *model) feed(user string) (items []feedItem) {
	add := func(changed int, format string, args ...any) {
		items = append(items, feedItem{changed, fmt.Sprintf(format, args...)})
	}
	for _, message := range m.messages {
		member := m.member(user, message.Recipient)
		if m.sees(user, message) && (member == nil || message.changed > member.since) {
			add(message.changed, "message %s: %s, %t", message.ID, message.Text, message.deleted)
		}
	}
	for of, marker := range m.markers {
		if of.user == user || of.peer == user {
			add(marker.changed, "%s has read %s: %s", of.user, of.peer, marker.id)
		}
	}
	for of, membership := range m.memberships {
		mine := m.member(user, of.peer)
		switch {
		case of.user == user && membership.state == "deleted":
			add(membership.changed, "group %s: , true", of.peer)
		case of.user == user || mine != nil && membership.changed > mine.since:
			add(membership.changed, "%s", membership)
		}
	}
	for _, g := range m.groups {
		if mine := m.member(user, g.address); mine != nil && g.changed > mine.since {
			add(g.changed, "group %s: %s, false", g.address, g.name)
		}
	}
	slices.SortFunc(items, func(a, b feedItem) int { return cmp.Compare(a.changed, b.changed) })
	return items
}

func describeChange(c client.Change) string {
	switch {
	case c.Message != nil:
		return fmt.Sprintf("message %s: %s, %t", c.Message.ID, c.Message.Text, c.Message.DeletedAt != nil)
	case c.ReadMarker != nil:
		return fmt.Sprintf("%s has read %s: %s", c.ReadMarker.User, c.ReadMarker.Peer, c.ReadMarker.MessageID)
	case c.Membership != nil:
		return describeMembership(*c.Membership)
	case c.Group != nil:
		return fmt.Sprintf("group %s: %s, %t", c.Group.Address, c.Group.Name, c.Group.DeletedAt != nil)
	}
	return "a change of the type " + string(c.Type)
}
