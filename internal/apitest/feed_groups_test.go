package apitest_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/api/messageservice"
	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/roster"
)

// feedGroups is how many groups there are at a time. Each has a member who never leaves, beside the users.
const (
	feedGroups = 4
	feedKeeper = "keeper"
)

// feedGroup is a group of TestFeed, until it is deleted.
type feedGroup struct {
	address string

	deleting sync.RWMutex // held for reading while members change
	gone     bool
	changing map[string]*sync.Mutex // of each user: one change of a membership at a time

	mu    sync.Mutex
	stays map[string][]stay // of each user, the last of which may go on
	last  uuid.UUID         // a message
}

// stay is the time of a user in a group, between the changes by which it began and ended.
type stay struct {
	since, until uuid.UUID // until is zero while it goes on
	from         uuid.UUID // the user sees messages from there on
	deleted      bool      // it ended with the group
}

func (s stay) goesOn() bool { return s.until == uuid.Nil }

// covers reports whether a change happened during a stay.
func (s stay) covers(change uuid.UUID) bool {
	return bytes.Compare(change[:], s.since[:]) > 0 && (s.goesOn() || bytes.Compare(change[:], s.until[:]) < 0)
}

// staysOf returns the stays of a user so far.
func (g *feedGroup) staysOf(user string) []stay {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.stays[user])
}

// at returns the stay of a user in which a change happened.
func (g *feedGroup) at(user string, change uuid.UUID) (stay, bool) {
	stays := g.staysOf(user)
	i := slices.IndexFunc(stays, func(s stay) bool { return s.covers(change) })
	if i < 0 {
		return stay{}, false
	}
	return stays[i], true
}

// now returns the stay that goes on, if there is one.
func (g *feedGroup) now(user string) (stay, bool) {
	stays := g.staysOf(user)
	if len(stays) == 0 || !stays[len(stays)-1].goesOn() {
		return stay{}, false
	}
	return stays[len(stays)-1], true
}

// newGroup creates a group of every second user.
func (f *feedTest) newGroup(t *testing.T) *feedGroup {
	f.mu.Lock()
	g := &feedGroup{address: fmt.Sprint("~group-", len(f.allGroups)), changing: map[string]*sync.Mutex{}, stays: map[string][]stay{}}
	f.allGroups = append(f.allGroups, g)
	f.mu.Unlock()
	for i := range feedUsers {
		g.changing[fmt.Sprint("user-", i)] = &sync.Mutex{}
	}
	request := client.CreateGroupRequest{Name: g.address, Owner: new(feedKeeper)}
	if len(f.allGroups)%2 == 0 {
		request.History = new(client.HistoryNone)
	}
	ctx := context.WithoutCancel(t.Context())
	retried(t, func() (*client.CreateGroupResponse, error) {
		return f.replicas[0].CreateGroupWithResponse(ctx, g.address, request)
	})
	for i := range feedUsers / 2 { // so that there are members to send from the beginning
		first := fmt.Sprint("user-", 2*i)
		retried(t, func() (*client.AddGroupMembersResponse, error) {
			return f.replicas[0].AddGroupMembersWithResponse(ctx, g.address, client.AddGroupMembersRequest{Users: []string{first}})
		})
		f.note(t, g, first)
	}
	return g
}

// manage makes a change of a group or its members.
func (f *feedTest) manage(t *testing.T, random *rand.Rand, replica *apitest.Server) {
	ctx, user := context.WithoutCancel(t.Context()), fmt.Sprint("user-", random.IntN(feedUsers))
	place := random.IntN(feedGroups)
	g := f.group(place)
	if random.IntN(60) == 0 {
		f.deleteGroup(t, place, replica)
		return
	}
	g.deleting.RLock()
	defer g.deleting.RUnlock()
	if g.gone {
		return
	}
	if random.IntN(6) == 0 {
		edit := client.UpdateGroupRequest{Name: new(fmt.Sprint(g.address, " ", random.IntN(100)))}
		retried(t, func() (*client.UpdateGroupResponse, error) {
			return replica.UpdateGroupWithResponse(ctx, g.address, edit)
		})
		return
	}
	g.changing[user].Lock()
	defer g.changing[user].Unlock()
	switch what := random.IntN(10); {
	case what < 6:
		if _, is := g.now(user); is && what < 4 {
			f.remove(t, g, user, replica, random.IntN(2) == 0)
			return
		}
		add := client.AddGroupMembersRequest{Users: []string{user}}
		retried(t, func() (*client.AddGroupMembersResponse, error) {
			return replica.AddGroupMembersWithResponse(ctx, g.address, add)
		})
	default:
		role := client.SetGroupMemberRequest{Role: rights[1+random.IntN(3)]}
		retried(t, func() (*client.SetGroupMemberResponse, error) {
			return replica.SetGroupMemberWithResponse(ctx, g.address, user, role)
		}, http.StatusNotFound, http.StatusUnprocessableEntity)
	}
	f.note(t, g, user)
}

// group returns the group at a place.
func (f *feedTest) group(place int) *feedGroup {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.groups[place]
}

// remove ends a membership, by the user or by a service. A repetition may find it ended.
func (f *feedTest) remove(t *testing.T, g *feedGroup, user string, replica *apitest.Server, leave bool) {
	by := replica.Client
	if leave {
		by = replica.As(t, user)
	}
	retried(t, func() (*client.RemoveGroupMemberResponse, error) {
		return by.RemoveGroupMemberWithResponse(context.WithoutCancel(t.Context()), g.address, user)
	}, http.StatusNotFound)
	f.note(t, g, user)
	f.seesNothing(t, g, user, f.replicas[rand.IntN(len(f.replicas))])
}

// deleteGroup deletes the group at a place, and creates another one there.
func (f *feedTest) deleteGroup(t *testing.T, place int, replica *apitest.Server) {
	g := f.group(place)
	g.deleting.Lock()
	defer g.deleting.Unlock()
	if g.gone {
		return
	}
	retried(t, func() (*client.DeleteGroupResponse, error) {
		return replica.DeleteGroupWithResponse(context.WithoutCancel(t.Context()), g.address)
	}, http.StatusNotFound)
	g.gone = true
	for user := range g.changing {
		f.note(t, g, user)
		f.seesNothing(t, g, user, f.replicas[rand.IntN(len(f.replicas))])
	}
	next := f.newGroup(t)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.groups[place] = next
}

// note notes what has become of a membership, which nobody else changes meanwhile.
func (f *feedTest) note(t *testing.T, g *feedGroup, user string) {
	t.Helper()
	var found []roster.Membership
	for {
		err := f.replicas[0].DB.Read(context.WithoutCancel(t.Context()), func(ctx context.Context, q sqlx.QueryerContext) (err error) {
			found, err = roster.MembershipTable.Select(ctx, q,
				"SELECT "+roster.MembershipTable.Columns()+" FROM memberships WHERE user_id = $1 AND group_id = $2", user, g.address)
			return err
		})
		if err == nil {
			break
		}
		<-time.After(retryPause)
	}
	if len(found) == 0 {
		return
	}
	m, since := found[0], uuid.UUID(found[0].Since)
	g.mu.Lock()
	defer g.mu.Unlock()
	stays := g.stays[user]
	if len(stays) == 0 || stays[len(stays)-1].since != since {
		stays = append(stays, stay{since: since, from: uuid.UUID(m.VisibleFrom)})
	}
	s := &stays[len(stays)-1]
	if m.State != roster.Active && s.goesOn() {
		s.until, s.deleted = uuid.UUID(m.Changed), m.State == roster.Deleted
	}
	g.stays[user] = stays
}

// seesNothing checks that a user who is not in a group any more gets nothing of it but the end of the membership.
func (f *feedTest) seesNothing(t *testing.T, g *feedGroup, user string, replica *apitest.Server) {
	t.Helper()
	ctx, as := context.WithoutCancel(t.Context()), replica.As(t, user)
	notFound := func(answer messageservice.Answer) {
		t.Helper()
		if answer.StatusCode() != http.StatusNotFound {
			t.Errorf("%s has left %s, and is answered %s: %s", user, g.address, answer.Status(), answer.GetBody())
		}
	}
	g.mu.Lock()
	last := g.last
	g.mu.Unlock()
	notFound(again(t, func() (*client.GetMessageResponse, error) { return as.GetMessageWithResponse(ctx, last) }))
	notFound(again(t, func() (*client.ListMessagesResponse, error) {
		return as.ListMessagesWithResponse(ctx, &client.ListMessagesParams{Recipient: &g.address})
	}))
	notFound(again(t, func() (*client.ListConversationMessagesResponse, error) {
		return as.ListConversationMessagesWithResponse(ctx, user, g.address, nil)
	}))
	notFound(again(t, func() (*client.ListMessagesResponse, error) {
		return as.ListMessagesWithResponse(ctx, &client.ListMessagesParams{Recipient: &g.address, Q: new(feedWord)})
	}))
	found := again(t, func() (*client.SearchMessagesResponse, error) {
		return as.SearchMessagesWithResponse(ctx, user, &client.SearchMessagesParams{Q: feedWord, Limit: new(int32(100))})
	})
	for _, m := range found.JSON200.Messages {
		if m.Recipient == g.address {
			t.Errorf("%s has left %s, and finds %+v", user, g.address, m)
		}
	}
	ends, after := 0, uuid.Nil
	stays := g.staysOf(user)
	if len(stays) > 0 {
		after = stays[len(stays)-1].since
	}
	for _, c := range f.feed(t, replica, user, after) {
		if groupOf(c) != g.address {
			continue
		}
		if !endsMembership(c, user) {
			t.Errorf("%s has left %s, and gets %s", user, g.address, asText(t, c))
		}
		ends++
	}
	if wasIn := len(stays) > 0; wasIn != (ends == 1) {
		t.Errorf("%s was in %s %d times, and gets %d ends of that", user, g.address, len(stays), ends)
	}
}
