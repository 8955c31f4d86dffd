package main

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/messaging"
)

// TestGroupByCommands writes to a group by the command line, follows a member meanwhile, and is refused as one
// who is no member.
func TestGroupByCommands(t *testing.T) {
	t.Parallel()
	s := apitest.Start(t, db.SQLite, messaging.Options{})
	apitest.Call(s.CreateGroupWithResponse(t.Context(), "~team", client.CreateGroupRequest{Name: "Team", Owner: new("alice")})).Must(t, http.StatusCreated)
	apitest.Call(s.AddGroupMembersWithResponse(t.Context(), "~team", client.AddGroupMembersRequest{Users: []string{"bob"}})).Must(t, http.StatusOK)
	out, errs, stop := tailing(t, "--server="+s.URL, "bob", "--after", uuid.Nil.String())
	defer stop()
	if line := errs.next(t); !strings.HasPrefix(line, "following bob from ") {
		t.Fatal(line)
	}
	printed := func() (change client.Change, line string) {
		line = out.next(t)
		if err := json.Unmarshal([]byte(line), &change); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		return change, line
	}
	if change, line := printed(); change.Membership == nil || change.Membership.User != "bob" || change.Membership.State != "active" {
		t.Errorf("printed %s when bob was added", line)
	}
	code, sent, stderr := runHere(t, "send", "--server", s.URL, "--from=alice", "--to=~team", "Lunch?")
	if change, line := printed(); code != 0 || change.Message == nil || !strings.Contains(sent, change.Message.ID.String()) || change.Message.Recipient != "~team" {
		t.Errorf("sent %s, exit %d: %s\nprinted %s", sent, code, stderr, line)
	}
	apitest.Call(s.UpdateGroupWithResponse(t.Context(), "~team", client.UpdateGroupRequest{Name: new("The team")})).Must(t, http.StatusOK)
	if change, line := printed(); change.Group == nil || change.Group.Name != "The team" {
		t.Errorf("printed %s when the group was renamed", line)
	}
	apitest.Call(s.RemoveGroupMemberWithResponse(t.Context(), "~team", "bob")).Must(t, http.StatusNoContent)
	if change, line := printed(); change.Membership == nil || change.Membership.State != "removed" {
		t.Errorf("printed %s when bob was removed", line)
	}
	code, sent, stderr = runHere(t, "send", "--server", s.URL, "--from=bob", "--to=~team", "Am I still here?")
	if code != 1 || sent != "" || !strings.Contains(stderr, "There is no such group, or the user is not a member of it.") {
		t.Errorf("exit %d\nstdout: %s\nstderr: %s", code, sent, stderr)
	}
}
