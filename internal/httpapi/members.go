package httpapi

import (
	"context"

	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/contract"
	"github.com/message-service/message-service/internal/roster"
)

// ListGroupMembers answers GET /v1/groups/{groupId}/members.
func (h *handlers) ListGroupMembers(ctx context.Context, request server.ListGroupMembersRequestObject) (server.ListGroupMembersResponseObject, error) {
	p := request.Params
	return h.page(ctx, func(body []byte) ([]byte, *string, error) {
		page, err := h.service.ListMembers(ctx, callerOf(ctx), request.GroupID, contract.Value(p.After), contract.PageSize(p.Limit))
		if err != nil || !page.HasMore {
			return contract.AppendMembershipPage(body, page), nil, err
		}
		link := nextLink(exchangeOf(ctx).path(request.GroupID), queryOf("after", page.Next), p.Limit)
		return contract.AppendMembershipPage(body, page), link, nil
	}), nil
}

// AddGroupMembers answers POST /v1/groups/{groupId}/members.
func (h *handlers) AddGroupMembers(ctx context.Context, request server.AddGroupMembersRequestObject) (server.AddGroupMembersResponseObject, error) {
	added, err := h.service.AddMembers(ctx, callerOf(ctx), request.GroupID, request.Body.Users)
	if err != nil {
		return nil, err
	}
	return newSingle(contract.AppendAddedMembers, &added), nil
}

// SetGroupMember answers PUT /v1/groups/{groupId}/members/{userId}.
func (h *handlers) SetGroupMember(ctx context.Context, request server.SetGroupMemberRequestObject) (server.SetGroupMemberResponseObject, error) {
	m, err := h.service.SetRole(ctx, callerOf(ctx), request.GroupID, request.UserID, roster.Role(request.Body.Role))
	if err != nil {
		return nil, err
	}
	return newSingle(contract.AppendMembership, &m), nil
}

// RemoveGroupMember answers DELETE /v1/groups/{groupId}/members/{userId}.
func (h *handlers) RemoveGroupMember(ctx context.Context, request server.RemoveGroupMemberRequestObject) (server.RemoveGroupMemberResponseObject, error) {
	if err := h.service.RemoveMember(ctx, callerOf(ctx), request.GroupID, request.UserID); err != nil {
		return nil, err
	}
	return server.RemoveGroupMember204Response{}, nil
}
