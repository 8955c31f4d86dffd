package httpapi

import (
	"context"
	"net/http"

	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/contract"
)

// CreateGroup answers PUT /v1/groups/{groupId}.
func (h *handlers) CreateGroup(ctx context.Context, request server.CreateGroupRequestObject) (server.CreateGroupResponseObject, error) {
	wanted, err := contract.NewGroup(request.GroupID, request.Body)
	if err != nil {
		return nil, err
	}
	g, created, err := h.service.CreateGroup(ctx, callerOf(ctx), wanted)
	if err != nil {
		return nil, err
	}
	return putGroup{newSingle(contract.AppendGroup, &g), created}, nil
}

// GetGroup answers GET /v1/groups/{groupId}.
func (h *handlers) GetGroup(ctx context.Context, request server.GetGroupRequestObject) (server.GetGroupResponseObject, error) {
	g, err := h.service.GetGroup(ctx, callerOf(ctx), request.GroupID)
	if err != nil {
		return nil, err
	}
	return newSingle(contract.AppendGroup, &g), nil
}

// UpdateGroup answers PATCH /v1/groups/{groupId}.
func (h *handlers) UpdateGroup(ctx context.Context, request server.UpdateGroupRequestObject) (server.UpdateGroupResponseObject, error) {
	edit, err := contract.GroupEdit(request.Body)
	if err != nil {
		return nil, err
	}
	g, err := h.service.UpdateGroup(ctx, callerOf(ctx), request.GroupID, edit)
	if err != nil {
		return nil, err
	}
	return newSingle(contract.AppendGroup, &g), nil
}

// DeleteGroup answers DELETE /v1/groups/{groupId}.
func (h *handlers) DeleteGroup(ctx context.Context, request server.DeleteGroupRequestObject) (server.DeleteGroupResponseObject, error) {
	if err := h.service.DeleteGroup(ctx, callerOf(ctx), request.GroupID); err != nil {
		return nil, err
	}
	return server.DeleteGroup204Response{}, nil
}

// putGroup is the response to the creation of a group, which may have been created before.
type putGroup struct {
	group   single
	created bool
}

// VisitCreateGroupResponse writes the answer.
func (p putGroup) VisitCreateGroupResponse(w http.ResponseWriter) error {
	if p.created {
		return p.group.write(w, http.StatusCreated)
	}
	return p.group.write(w, http.StatusOK)
}
