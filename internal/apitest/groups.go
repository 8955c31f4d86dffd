package apitest

import (
	"net/http"
	"testing"

	"github.com/message-service/message-service/gen/client"
)

// NewGroup creates a group and adds members. Like everything here about groups it needs a client that acts for everyone.
func (c *Client) NewGroup(t testing.TB, address, owner string, members ...string) client.Group {
	t.Helper()
	request := client.CreateGroupRequest{Name: address[1:], Owner: &owner}
	made := Call(c.CreateGroupWithResponse(t.Context(), address, request)).Must(t, http.StatusCreated).JSON201
	if len(members) > 0 {
		c.AddMembers(t, address, members...)
		made.MemberCount += int32(len(members))
	}
	return *made
}

// Group reads a group.
func (c *Client) Group(t testing.TB, address string) client.Group {
	t.Helper()
	return *Call(c.GetGroupWithResponse(t.Context(), address)).Must(t, http.StatusOK).JSON200
}

// AddMembers adds users to a group, none of whom is a member yet.
func (c *Client) AddMembers(t testing.TB, group string, users ...string) {
	t.Helper()
	request := client.AddGroupMembersRequest{Users: users}
	for _, m := range Call(c.AddGroupMembersWithResponse(t.Context(), group, request)).Must(t, http.StatusOK).JSON200.Members {
		if m.Outcome != "added" {
			t.Fatalf("%s to %s: %s", m.User, group, m.Outcome)
		}
	}
}

// Members lists the members of a group, of whom there are at most 100.
func (c *Client) Members(t testing.TB, group string) []client.Membership {
	t.Helper()
	page := Call(c.ListGroupMembersWithResponse(t.Context(), group, nil)).Must(t, http.StatusOK).JSON200
	if page.HasMore {
		t.Fatalf("%s has more than %d members", group, len(page.Members))
	}
	return page.Members
}

// SetRole gives a member a role.
func (c *Client) SetRole(t testing.TB, group, user string, role client.Role) client.Membership {
	t.Helper()
	request := client.SetGroupMemberRequest{Role: role}
	return *Call(c.SetGroupMemberWithResponse(t.Context(), group, user, request)).Must(t, http.StatusOK).JSON200
}

// RemoveMember removes a member, or has them leave if the client acts as them.
func (c *Client) RemoveMember(t testing.TB, group, user string) {
	t.Helper()
	Call(c.RemoveGroupMemberWithResponse(t.Context(), group, user)).Must(t, http.StatusNoContent)
}
