package apitest_test

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/message-service/message-service/gen/client"
)

// The limits of the servers of the model, so low that they are reached.
const (
	modelMaxMembers = 4
	modelMaxGroups  = 3
)

// modelGroup is a group in the model.
type modelGroup struct {
	address string
	created string // the request that created it
	name    string
	color   any // in its metadata
	history client.GroupHistory
	changed int
	updated bool
	deleted bool
}

// modelMembership is that of a user in a group.
type modelMembership struct {
	pair

	role    client.Role
	state   string
	since   int
	from    int // messages from before are not for them
	changed int
}

func isGroup(address string) bool { return strings.HasPrefix(address, "~") }

// rights are the roles in the order of what they may do, which a service may, too.
var rights = []client.Role{"", client.RoleMember, client.RoleAdmin, client.RoleOwner}

func hasRights(role, needed client.Role) bool {
	return slices.Index(rights, role) >= slices.Index(rights, needed)
}

// member returns the membership of a user, if it has not ended.
func (m *model) member(user, group string) *modelMembership {
	if member := m.memberships[pair{user, group}]; member != nil && member.state == "active" {
		return member
	}
	return nil
}

// members returns those of a group, the oldest first.
func (m *model) members(group string) (members []*modelMembership) {
	for _, member := range m.memberships {
		if member.peer == group && member.state == "active" {
			members = append(members, member)
		}
	}
	slices.SortFunc(members, func(a, b *modelMembership) int { return cmp.Compare(a.since, b.since) })
	return members
}

// groupsOf returns the addresses of a user's groups, in their order.
func (m *model) groupsOf(user string) (groups []string) {
	for of, member := range m.memberships {
		if of.user == user && member.state == "active" {
			groups = append(groups, of.peer)
		}
	}
	slices.Sort(groups)
	return groups
}

// role is that of a caller in a group, or "". A service may do what the owner may.
func (m *model) role(caller, group string) client.Role {
	if member := m.member(caller, group); member != nil {
		return member.role
	}
	if g := m.groups[group]; caller == "" && g != nil && !g.deleted {
		return client.RoleOwner
	}
	return ""
}

// refusal is the status by which a caller is refused who needs a role in a group, or 0.
func (m *model) refusal(caller, group string, needed client.Role) int {
	switch role := m.role(caller, group); {
	case role == "":
		return http.StatusNotFound
	case !hasRights(role, needed):
		return http.StatusForbidden
	}
	return 0
}

// mayChange is refusal for the edit or, with a role that may do it for others, the deletion of a message.
func (m *model) mayChange(caller string, message *modelMessage, needed client.Role) int {
	switch {
	case caller == "" || caller == message.Sender && m.sees(caller, message):
		return 0
	case !m.sees(caller, message):
		return http.StatusNotFound
	case needed != "" && isGroup(message.Recipient):
		return m.refusal(caller, message.Recipient, needed)
	}
	return http.StatusForbidden
}

// tick is the time of another change.
func (m *model) tick() int {
	m.now++
	return m.now
}

// join makes a user a member.
func (m *model) join(user string, g *modelGroup, role client.Role) {
	member := &modelMembership{pair: pair{user, g.address}, role: role, state: "active", since: m.tick()}
	member.changed = member.since
	if g.history == client.HistoryNone {
		member.from = member.since
	}
	m.memberships[member.pair] = member
}

// leave ends a membership. If it is the owner's, another one succeeds; with the last one the group ends.
func (m *model) leave(member *modelMembership, state string) {
	members := m.members(member.peer)
	if len(members) == 1 {
		m.deleteGroup(m.groups[member.peer])
		return
	}
	m.end(member, state)
	if member.role != client.RoleOwner {
		return
	}
	successor := slices.MaxFunc(slices.DeleteFunc(members, func(other *modelMembership) bool { return other == member }), func(a, b *modelMembership) int {
		return cmp.Or(cmp.Compare(slices.Index(rights, a.role), slices.Index(rights, b.role)), cmp.Compare(b.since, a.since))
	})
	successor.role, successor.changed = client.RoleOwner, m.now
}

func (m *model) end(member *modelMembership, state string) {
	member.state, member.changed = state, m.tick()
	delete(m.markers, member.pair)
	delete(m.views, member.pair)
}

// deleteGroup ends a group, and all of its memberships at the same time.
func (m *model) deleteGroup(g *modelGroup) {
	g.deleted = true
	members := m.members(g.address)
	for _, member := range members {
		m.end(member, "deleted")
	}
	for _, member := range members {
		member.changed = m.now
	}
	m.messages = slices.DeleteFunc(m.messages, func(message *modelMessage) bool {
		if message.Recipient == g.address {
			m.gone = append(m.gone, message)
		}
		return message.Recipient == g.address
	})
}

// modelLine is a conversation of an inbox.
type modelLine struct {
	peer     string
	last     *modelMessage // nil if there is none
	position int
	view     modelView
}

// line returns a conversation of a user, or nil if there is none. One that has ended, but is muted, is at position 0.
func (m *model) line(user, peer string) *modelLine {
	line, of := &modelLine{peer: peer, view: m.views[pair{user, peer}]}, m.between(user, peer)
	if member := m.member(user, peer); member != nil {
		line.position = member.since
	}
	for _, message := range m.messages {
		if !message.deleted && of(message) {
			line.last, line.position = message, max(line.position, message.sent)
		}
	}
	if line.position == 0 && (isGroup(peer) || line.view.mutedUntil == nil) {
		return nil
	}
	return line
}

// endConversations forgets what was set for conversations in which there is no message any more, but that they are muted.
func (m *model) endConversations() {
	for of, view := range m.views {
		if line := m.line(of.user, of.peer); line == nil || line.position == 0 {
			if view.hidden = 0; line == nil || line.heard() {
				delete(m.views, of)
				continue
			}
			m.views[of] = view
		}
	}
}

// shown reports whether a conversation is not hidden.
func (l *modelLine) shown() bool { return l.position > l.view.hidden }

// heard reports whether a conversation is not muted.
func (l *modelLine) heard() bool {
	return l.view.mutedUntil == nil || l.view.mutedUntil.Before(time.Now())
}
