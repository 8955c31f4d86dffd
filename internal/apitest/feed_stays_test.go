package apitest_test

import (
	"context"
	"net/http"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
)

// feedWord is in all texts of groups.
const feedWord = "word"

// writeToGroup sends to a group, until it is answered. Only who is no member all the while may be refused.
func (f *feedTest) writeToGroup(t *testing.T, replica *apitest.Server, g *feedGroup, sender, key string) {
	t.Helper()
	before, was := g.now(sender)
	request := client.SendMessageRequest{Sender: sender, Recipient: g.address, Text: feedWord + " " + key}
	answer := retried(t, func() (*client.SendMessageResponse, error) {
		return replica.As(t, sender).SendMessageWithResponse(context.WithoutCancel(t.Context()), &client.SendMessageParams{IdempotencyKey: &key}, request)
	}, http.StatusNotFound)
	if answer.JSON201 != nil {
		f.mu.Lock()
		f.sent = append(f.sent, *answer.JSON201)
		f.mu.Unlock()
		g.mu.Lock()
		g.last = answer.JSON201.ID
		g.mu.Unlock()
		return
	}
	g.deleting.RLock()
	defer g.deleting.RUnlock()
	g.changing[sender].Lock() // so that what has changed meanwhile is noted
	defer g.changing[sender].Unlock()
	if after, is := g.now(sender); was && is && before == after {
		t.Errorf("%s is in %s since %s, and is refused: %s", sender, g.address, before.since, answer.Body)
	}
}

// groupOf returns the address of the group that a change is of, or "".
func groupOf(c client.Change) string {
	switch {
	case c.Message != nil && isGroup(c.Message.Recipient):
		return c.Message.Recipient
	case c.Group != nil:
		return c.Group.Address
	case c.Membership != nil:
		return c.Membership.Group
	case c.ReadMarker != nil && isGroup(c.ReadMarker.Peer):
		return c.ReadMarker.Peer
	}
	return ""
}

// endsMembership reports whether a change is the end of a user's membership.
func endsMembership(c client.Change, user string) bool {
	return c.Group != nil && c.Group.DeletedAt != nil || c.Membership != nil && c.Membership.User == user && c.Membership.State != "active"
}

// theGroup returns the group with an address.
func (f *feedTest) theGroup(address string) *feedGroup {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.IndexFunc(f.allGroups, func(g *feedGroup) bool { return g.address == address })
	return f.allGroups[i]
}

// checkAllowed checks that a change of a group that arrived happened while the user was in the group.
func (r *feedReader) checkAllowed(t *testing.T, c client.Change) {
	t.Helper()
	address := groupOf(c)
	if address == "" {
		return
	}
	g := r.theGroup(address)
	if stays := g.staysOf(r.user); c.Membership != nil && c.Membership.User == r.user || endsMembership(c, r.user) {
		for _, s := range stays {
			if isEnd := endsMembership(c, r.user); isEnd && c.Cursor == s.until || !isEnd && (c.Cursor == s.since || s.covers(c.Cursor)) {
				return
			}
		}
		t.Errorf("%s got %s, which is not the end or part of any of %v", r.user, asText(t, c), stays)
		return
	}
	s, is := g.at(r.user, c.Cursor)
	if !is || c.Message != nil && before(c.Message.ID, s.from) {
		t.Errorf("%s got %s, and was in the group at %v", r.user, asText(t, c), g.staysOf(r.user))
	}
}

// before reports whether an id is smaller than another.
func before(a, b uuid.UUID) bool { return a.String() < b.String() }

// isOver reports whether a change that arrived is of a stay in a group that has ended since.
func (r *feedReader) isOver(c client.Change) bool {
	address := groupOf(c)
	if address == "" || c.Group != nil && c.Group.DeletedAt != nil {
		return false
	}
	g := r.theGroup(address)
	s, is := g.now(r.user)
	if c.Membership != nil && c.Membership.User == r.user {
		stays := g.staysOf(r.user)
		return stays[len(stays)-1].deleted
	}
	return !is || !s.covers(c.Cursor)
}

// checkStored compares a feed with all that was sent: it has every message that the user may see, and no other.
func (f *feedTest) checkStored(t *testing.T, user string, stored []client.Change) {
	t.Helper()
	there := map[uuid.UUID]client.Change{}
	for _, c := range stored {
		if c.Message != nil {
			there[c.Message.ID] = c
		}
		if address := groupOf(c); address != "" && !endsMembership(c, user) {
			s, is := f.theGroup(address).now(user)
			begins := c.Membership != nil && c.Membership.User == user && c.Cursor == s.since
			if !is || !begins && !s.covers(c.Cursor) {
				t.Errorf("the feed of %s has %s, and they are in the group %t, %v", user, asText(t, c), is, s)
			}
		}
	}
	for _, m := range f.sent {
		must, may := m.Sender == user || m.Recipient == user, false
		if isGroup(m.Recipient) {
			g := f.theGroup(m.Recipient)
			if s, is := g.at(m.Sender, m.ID); !is {
				t.Errorf("%s has sent %s to %s, and was in the group at %v: %v", m.Sender, m.ID, m.Recipient, g.staysOf(m.Sender), s)
			}
			s, is := g.now(user)
			must, may = is && s.covers(m.ID), is && !before(m.ID, s.from) // an earlier one if it has changed since
		}
		if _, is := there[m.ID]; is && !must && !may || !is && must {
			t.Errorf("that %s is in the feed of %s: %t; it must be %t, and may be %t", asText(t, client.Change{Message: &m}), user, is, must, may)
		}
		delete(there, m.ID)
	}
	if len(there) > 0 {
		t.Errorf("the feed of %s has messages that nobody has sent: %v", user, there)
	}
}
