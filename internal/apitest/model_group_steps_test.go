package apitest_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/oapi-codegen/nullable"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
)

// group returns the address of a group: most often of one of the newest, which may be deleted, or of none yet.
func (r *modelRun) group() string {
	n := len(r.model.groups)
	if n == 0 || r.random.IntN(20) == 0 {
		return fmt.Sprint("~group-", n)
	}
	return fmt.Sprint("~group-", max(0, n-1-r.random.IntN(4)))
}

func (r *modelRun) role() client.Role { return rights[1+r.random.IntN(3)] }

func (r *modelRun) history() client.GroupHistory {
	if r.random.IntN(3) == 0 {
		return client.HistoryAll
	}
	return client.HistoryNone
}

// color returns metadata of a group, or nil.
func (r *modelRun) color() any {
	if r.random.IntN(2) == 0 {
		return nil
	}
	return fmt.Sprint("color ", r.random.IntN(3))
}

func (r *modelRun) stepOfGroup() {
	switch n := r.random.IntN(100); {
	case n < 12:
		r.createGroup()
	case n < 28:
		r.updateGroup()
	case n < 30:
		r.deleteGroup()
	case n < 70:
		r.addMembers()
	case n < 82:
		r.setRole()
	default:
		r.removeMember()
	}
}

// createGroup creates a group, or tries to create one again: as it was, or another one.
func (r *modelRun) createGroup() {
	address := r.group()
	if r.random.IntN(2) == 0 {
		address = fmt.Sprint("~group-", len(r.model.groups))
	}
	request := client.CreateGroupRequest{Name: fmt.Sprint("Group ", r.random.IntN(2))}
	if r.random.IntN(2) == 0 {
		request.History = new(r.history())
	}
	if color := r.color(); color != nil {
		request.Metadata = client.Metadata{"color": color}
	}
	name, caller := r.caller()
	if name == "" || r.random.IntN(4) == 0 {
		request.Owner = new(r.user())
	}
	existing := r.model.groups[address]
	if existing != nil && r.random.IntN(2) == 0 {
		if err := json.Unmarshal([]byte(existing.created), &request); err != nil {
			r.t.Fatal(err)
		}
	}
	owner := name
	if request.Owner != nil {
		owner = *request.Owner
	}
	asked := request
	asked.Owner, asked.History = &owner, new(client.HistoryAll)
	if request.History != nil {
		asked.History = request.History
	}
	created, err := json.Marshal(asked)
	if err != nil {
		r.t.Fatal(err)
	}
	want := http.StatusOK
	switch {
	case name != "" && owner != name:
		want = http.StatusForbidden
	case existing == nil && len(r.model.groupsOf(owner)) == modelMaxGroups:
		want = http.StatusConflict
	case existing == nil:
		want = http.StatusCreated
	case existing.deleted || existing.created != string(created) || r.model.role(name, address) == "":
		want = http.StatusConflict
	}
	answer := apitest.Call(caller.CreateGroupWithResponse(r.t.Context(), address, request)).Must(r.t, want)
	switch want {
	case http.StatusConflict:
		if isLimit := strings.Contains(string(answer.Body), ":limit-reached"); isLimit != (existing == nil) {
			r.t.Errorf("created %s: %s", address, answer.Body)
		}
	case http.StatusCreated:
		g := &modelGroup{address: address, created: string(created), name: request.Name, color: request.Metadata["color"], history: *asked.History}
		r.model.groups[address] = g
		r.model.join(owner, g, client.RoleOwner)
		g.changed = r.model.tick()
		r.sameGroup(g, *answer.JSON201)
	case http.StatusOK:
		r.sameGroup(existing, *answer.JSON200)
	}
}

func (r *modelRun) updateGroup() {
	address := r.group()
	name, caller := r.caller()
	g := r.model.groups[address]
	var request client.UpdateGroupRequest
	edited := modelGroup{}
	if g != nil {
		edited = *g
	}
	for request.Name == nil && request.History == nil && !request.Metadata.IsSpecified() {
		if r.random.IntN(2) == 0 {
			edited.name = fmt.Sprint("Group ", r.random.IntN(3))
			request.Name = &edited.name
		}
		if r.random.IntN(2) == 0 {
			edited.history = r.history()
			request.History = &edited.history
		}
		if r.random.IntN(3) == 0 {
			if edited.color = r.color(); edited.color == nil {
				request.Metadata = nullable.NewNullNullable[map[string]any]()
			} else {
				request.Metadata = nullable.NewNullableWithValue(map[string]any{"color": edited.color})
			}
		}
	}
	want := cmp.Or(r.model.refusal(name, address, client.RoleAdmin), http.StatusOK)
	answer := apitest.Call(caller.UpdateGroupWithResponse(r.t.Context(), address, request)).Must(r.t, want)
	if want != http.StatusOK {
		return
	}
	if edited != *g {
		edited.updated, edited.changed = true, r.model.tick()
		*g = edited
	}
	r.sameGroup(g, *answer.JSON200)
}

func (r *modelRun) deleteGroup() {
	address := r.group()
	name, caller := r.caller()
	want := cmp.Or(r.model.refusal(name, address, client.RoleOwner), http.StatusNoContent)
	apitest.Call(caller.DeleteGroupWithResponse(r.t.Context(), address)).Must(r.t, want)
	if want == http.StatusNoContent {
		r.model.deleteGroup(r.model.groups[address])
	}
}

func (r *modelRun) addMembers() {
	address := r.group()
	name, caller := r.caller()
	var users []string
	for _, i := range r.random.Perm(len(r.users))[:1+r.random.IntN(3)] {
		users = append(users, r.users[i])
	}
	want := cmp.Or(r.model.refusal(name, address, client.RoleAdmin), http.StatusOK)
	answer := apitest.Call(caller.AddGroupMembersWithResponse(r.t.Context(), address, client.AddGroupMembersRequest{Users: users})).Must(r.t, want)
	if want != http.StatusOK {
		return
	}
	g, full := r.model.groups[address], len(r.model.members(address)) == modelMaxMembers
	for i, user := range users {
		outcome := "added"
		switch {
		case r.model.member(user, address) != nil:
			outcome = "already-member"
		case full:
			outcome = "group-full"
		case r.model.blocks[pair{user, name}]:
			outcome = "blocked"
		case len(r.model.groupsOf(user)) == modelMaxGroups:
			outcome = "too-many-groups"
		case len(r.model.members(address)) == modelMaxMembers:
			outcome = "group-full"
		default:
			r.model.join(user, g, client.RoleMember)
		}
		if got := answer.JSON200.Members[i]; got.User != user || got.Outcome != outcome {
			r.t.Errorf("added %s to %s: %s, want %s", user, address, answer.Body, outcome)
		}
	}
}

func (r *modelRun) setRole() {
	address, user, role := r.group(), r.user(), r.role()
	name, caller := r.caller()
	want := r.model.refusal(name, address, client.RoleOwner)
	member := r.model.member(user, address)
	switch {
	case want != 0:
	case member == nil:
		want = http.StatusNotFound
	case member.role == client.RoleOwner && role != client.RoleOwner:
		want = http.StatusUnprocessableEntity
	default:
		want = http.StatusOK
	}
	answer := apitest.Call(caller.SetGroupMemberWithResponse(r.t.Context(), address, user, client.SetGroupMemberRequest{Role: role})).Must(r.t, want)
	if want != http.StatusOK {
		return
	}
	if role != member.role {
		now := r.model.tick()
		for _, other := range r.model.members(address) {
			if role == client.RoleOwner && other.role == client.RoleOwner {
				other.role, other.changed = client.RoleAdmin, now
			}
		}
		member.role, member.changed = role, now
	}
	if got := describeMembership(*answer.JSON200); got != member.String() {
		r.t.Errorf("made %s a %s: %s, want %s", user, role, got, member)
	}
}

func (r *modelRun) removeMember() {
	address, user := r.group(), r.user()
	name, caller := r.callerFor(user)
	needed, state := client.RoleAdmin, "removed"
	if name == user {
		needed, state = client.RoleMember, "left"
	}
	want := r.model.refusal(name, address, needed)
	member := r.model.member(user, address)
	switch {
	case want != 0:
	case member == nil:
		want = http.StatusNotFound
	case state == "removed" && member.role != client.RoleMember && r.model.role(name, address) != client.RoleOwner:
		want = http.StatusForbidden
	default:
		want = http.StatusNoContent
	}
	apitest.Call(caller.RemoveGroupMemberWithResponse(r.t.Context(), address, user)).Must(r.t, want)
	if want == http.StatusNoContent {
		r.model.leave(member, state)
	}
}

// updateConversation hides or mutes a conversation, or takes that back.
func (r *modelRun) updateConversation() {
	of := pair{r.user(), r.peer()}
	line := r.model.line(of.user, of.peer)
	var request client.UpdateConversationRequest
	view := r.model.views[of]
	if r.random.IntN(2) == 0 {
		request.Hidden = new(r.random.IntN(3) > 0)
		view.hidden = 0
		if line != nil && *request.Hidden {
			view.hidden = line.position
		}
	}
	if request.Hidden == nil || r.random.IntN(2) == 0 {
		request.MutedUntil, view.mutedUntil = nullable.NewNullNullable[time.Time](), nil
		if r.random.IntN(3) > 0 {
			view.mutedUntil = new(time.Now().UTC().Truncate(time.Millisecond).Add(time.Duration(r.random.IntN(3)-1) * time.Hour))
			request.MutedUntil = nullable.NewNullableWithValue(*view.mutedUntil)
			if !view.mutedUntil.After(time.Now()) {
				view.mutedUntil = nil
			}
		}
	}
	want := http.StatusOK
	if line == nil {
		want = http.StatusNotFound
	}
	answer := apitest.Call(r.as(of.user).UpdateConversationWithResponse(r.t.Context(), of.user, of.peer, request)).Must(r.t, want)
	if line != nil {
		r.model.views[of], line.view = view, view
		r.sameLine(of.user, line, *answer.JSON200)
		r.model.endConversations()
	}
}
