package roster

import (
	"github.com/message-service/message-service/internal/table"
)

var (
	groupColumns = []table.Column[Group]{
		{Name: "group_id", Field: func(g *Group) any { return &g.Address }},
		{Name: "name", Field: func(g *Group) any { return &g.Name }},
		{Name: "metadata", Field: func(g *Group) any { return (*table.OptionalJSON)(&g.Metadata) }},
		{Name: "history", Field: func(g *Group) any { return &g.History }},
		{Name: "member_count", Field: func(g *Group) any { return &g.MemberCount }},
		{Name: "version", Field: func(g *Group) any { return &g.Version }},
		{Name: "created", Field: func(g *Group) any { return &g.Created }},
		{Name: "changed", Field: func(g *Group) any { return &g.Changed }},
		{Name: "last_message_id", Field: func(g *Group) any { return &g.LastMessage }},
		{Name: "deleted", Field: func(g *Group) any { return &g.Deleted }},
		{Name: "fingerprint", Field: func(g *Group) any { return &g.Fingerprint }},
	}

	membershipColumns = []table.Column[Membership]{
		{Name: "group_id", Field: func(m *Membership) any { return &m.Group }},
		{Name: "user_id", Field: func(m *Membership) any { return &m.User }},
		{Name: "role", Field: func(m *Membership) any { return &m.Role }},
		{Name: "state", Field: func(m *Membership) any { return &m.State }},
		{Name: "since", Field: func(m *Membership) any { return &m.Since }},
		{Name: "visible_from", Field: func(m *Membership) any { return &m.VisibleFrom }},
		{Name: "changed", Field: func(m *Membership) any { return &m.Changed }},
		{Name: "muted_until", Field: func(m *Membership) any { return table.OptionalTime{Field: &m.MutedUntil} }},
		{Name: "hidden", Field: func(m *Membership) any { return &m.Hidden }},
	}
)

// The tables.
var (
	GroupTable      = table.New("groups", groupColumns)
	MemberTable     = table.New("members", membershipColumns[:7]) // beside the group
	MembershipTable = table.New("memberships", membershipColumns) // beside the user
)
