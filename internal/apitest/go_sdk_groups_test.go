package apitest_test

import (
	"net/http"
	"testing"

	"github.com/google/uuid"

	"github.com/message-service/message-service/api/messageservice"
	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/messaging"
)

// TestGoSDKGroups makes a group, adds members, writes to it, reads and follows as one of them, who is then removed,
// and deletes it.
func TestGoSDKGroups(t *testing.T) {
	const group = "~t+e|a:m='@._~-1" // with each character that may be in one
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		api := newGoClient(t, apitest.Start(t, engine, messaging.Options{}).URL)
		ctx := t.Context()
		create := client.CreateGroupRequest{Name: "Team", Owner: new("ann")}
		made := check[*client.CreateGroupResponse](t)(api.CreateGroupWithResponse(ctx, group, create))
		if made.JSON201 == nil || made.JSON201.Address != group || made.JSON201.MemberCount != 1 {
			t.Errorf("made %s", made.Body)
		}
		if again := check[*client.CreateGroupResponse](t)(api.CreateGroupWithResponse(ctx, group, create)); again.JSON200 == nil {
			t.Errorf("made again: %s", again.Status())
		}
		_, err := messageservice.Check(api.CreateGroupWithResponse(ctx, group, client.CreateGroupRequest{Name: "Another", Owner: new("ann")}))
		wantProblem(t, err, messageservice.GroupExists, http.StatusConflict)
		added := check[*client.AddGroupMembersResponse](t)(api.AddGroupMembersWithResponse(ctx, group, client.AddGroupMembersRequest{Users: []client.UserID{"b+e|n", "cai"}}))
		if got := added.JSON200.Members; len(got) != 2 || got[0] != (client.AddedMember{User: "b+e|n", Outcome: "added"}) {
			t.Errorf("added %s", added.Body)
		}

		message, ended := followUntilRemoved(t, api, group, "b+e|n")
		if message.Recipient != group || ended.Group != group || ended.User != "b+e|n" || ended.State != "removed" {
			t.Errorf("followed %+v, and then %+v", message, ended)
		}

		// Who is in sees the message by all that names the group, and who is not sees none of it.
		list := check[*client.ListMessagesResponse](t)(api.ListMessagesWithResponse(ctx, &client.ListMessagesParams{Recipient: new(group)}))
		thread := check[*client.ListConversationMessagesResponse](t)(api.ListConversationMessagesWithResponse(ctx, "cai", group, nil))
		line := check[*client.GetConversationResponse](t)(api.GetConversationWithResponse(ctx, "cai", group))
		for _, got := range [][]client.Message{list.JSON200.Messages, thread.JSON200.Messages, {*line.JSON200.LastMessage}} {
			if len(got) != 1 || got[0].ID != message.ID {
				t.Errorf("got %+v", got)
			}
		}
		_, err = messageservice.Check(api.ListConversationMessagesWithResponse(ctx, "b+e|n", group, nil))
		wantProblem(t, err, messageservice.NotFound, http.StatusNotFound)
		check[*client.SetReadMarkerResponse](t)(api.SetReadMarkerWithResponse(ctx, "cai", group, client.SetReadMarkerRequest{MessageID: message.ID}))
		if readers := check[*client.ListReadersResponse](t)(api.ListReadersWithResponse(ctx, message.ID)).JSON200; readers.Count != 1 || readers.Users[0] != "cai" {
			t.Errorf("read by %+v", readers)
		}
		check[*client.SetGroupMemberResponse](t)(api.SetGroupMemberWithResponse(ctx, group, "cai", client.SetGroupMemberRequest{Role: "owner"}))
		members := check[*client.ListGroupMembersResponse](t)(api.ListGroupMembersWithResponse(ctx, group, nil)).JSON200.Members
		if len(members) != 2 || members[0].Role != "admin" || members[1].Role != "owner" {
			t.Errorf("members are %+v", members)
		}
		check[*client.DeleteGroupResponse](t)(api.DeleteGroupWithResponse(ctx, group))
		_, err = messageservice.Check(api.GetGroupWithResponse(ctx, group))
		wantProblem(t, err, messageservice.NotFound, http.StatusNotFound)
	})
}

// followUntilRemoved follows as a member to whom ann is typing and then writes, until that member is removed.
func followUntilRemoved(t *testing.T, api *client.ClientWithResponses, group, member string) (message client.Message, ended client.Membership) {
	t.Helper()
	ctx := t.Context()
	options := &messageservice.FollowOptions{
		Ready: func(uuid.UUID) { check[*client.SetTypingResponse](t)(api.SetTypingWithResponse(ctx, "ann", group)) },
		Typing: func(typing messageservice.Typing) {
			if typing.User != "ann" || typing.Peer != group || typing.ExpiresAt.IsZero() {
				t.Errorf("%+v is typing", typing)
			}
			check[*client.SendMessageResponse](t)(api.SendMessageWithResponse(ctx, nil, client.SendMessageRequest{Sender: "ann", Recipient: group, Text: "Noodles?"}))
		},
	}
	for change, err := range messageservice.Follow(ctx, api, member, options) {
		switch {
		case err != nil:
			t.Fatal(err)
		case change.Message != nil:
			message = *change.Message
			check[*client.RemoveGroupMemberResponse](t)(api.RemoveGroupMemberWithResponse(ctx, group, member))
		case change.Membership != nil:
			return message, *change.Membership
		}
	}
	return message, ended
}
