package apitest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/app"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/httpapi"
	"github.com/message-service/message-service/internal/messaging"
)

// TestCreateGroup repeats the creation of a group, as it was and with a difference, before and after the group has changed.
func TestCreateGroup(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		const first = `{"name": "Team 1", "owner": "alice", "metadata": {"a": 1, "b": [2]}}`
		create := func(body string, status int, problem string) apitest.Answer {
			t.Helper()
			answer := s.Do(t, http.MethodPut, "/v1/groups/~team-1", strings.NewReader(body), "Content-Type: application/json")
			if answer.Status != status || !strings.Contains(answer.Body, problem) {
				t.Errorf("%s: answered %d %s, want %d %s", body, answer.Status, answer.Body, status, problem)
			}
			return answer
		}
		created := create(first, 201, `"memberCount":1`)
		if strings.Contains(created.Body, "updatedAt") {
			t.Errorf("a new group was updated: %s", created.Body)
		}
		again := map[string]string{
			"the same": first, "another order": `{"metadata":{"b":[2],"a":1},"owner":"alice","name":"Team 1"}`,
			"the default":  strings.Replace(first, "{", `{"history": "all", `, 1),
			"with escapes": strings.Replace(first, "Team", `T\u0065am`, 1),
		}
		others := []string{
			`{"name": "Team 2", "owner": "alice", "metadata": {"a": 1, "b": [2]}}`, `{"name": "Team 1", "owner": "alice"}`,
			`{"name": "Team 1", "owner": "bob", "metadata": {"a": 1, "b": [2]}}`, strings.Replace(first, "{", `{"history": "none", `, 1),
		}
		for _, body := range again {
			if answer := create(body, 200, ""); answer.Body != created.Body {
				t.Errorf("%s: %s, and it was %s", body, answer.Body, created.Body)
			}
		}
		s.AddMembers(t, "~team-1", "bob")
		updated := apitest.Call(s.UpdateGroupWithResponse(t.Context(), "~team-1", client.UpdateGroupRequest{Name: new("Team One")})).Must(t, http.StatusOK).JSON200
		if updated.Name != "Team One" || updated.UpdatedAt == nil || updated.MemberCount != 2 || len(updated.Metadata) != 2 {
			t.Errorf("updated to %+v", updated)
		}
		for _, body := range again {
			create(body, 200, `"name":"Team One"`)
		}
		for _, body := range others {
			create(body, 409, "group-exists")
		}
		apitest.Call(s.DeleteGroupWithResponse(t.Context(), "~team-1")).Must(t, http.StatusNoContent)
		apitest.Call(s.DeleteGroupWithResponse(t.Context(), "~team-1")).Must(t, http.StatusNotFound)
		for _, body := range append(others, first) {
			create(body, 409, "group-exists")
		}
	})
}

// TestWhoCreatesGroups has users create groups on a server that lets them, and on one that does not.
func TestWhoCreatesGroups(t *testing.T) {
	t.Parallel()
	for _, users := range []bool{false, true} {
		options := app.Options{API: httpapi.Options{Authenticate: true}, Messaging: messaging.Options{GroupsByUsers: users}}
		s := apitest.StartWith(t, dbtest.NewURL(t, db.SQLite), options)
		alice := s.As(t, "alice")
		for i, test := range []struct {
			as     *apitest.Client
			owner  *string
			status int // if users may
		}{
			{alice, nil, http.StatusCreated},
			{alice, new("alice"), http.StatusCreated},
			{alice, new("bob"), http.StatusForbidden},
			{s.Client, new("bob"), http.StatusCreated},
			{s.Client, nil, http.StatusUnprocessableEntity},
		} {
			if test.as == alice && !users {
				test.status = http.StatusForbidden
			}
			request := client.CreateGroupRequest{Name: "x", Owner: test.owner}
			apitest.Call(test.as.CreateGroupWithResponse(t.Context(), fmt.Sprintf("~group-%d", i), request)).Must(t, test.status)
		}
	}
}

// TestGroupAddresses uses the characters of addresses in every place where one may stand.
func TestGroupAddresses(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		for _, group := range []string{
			"~+14155550100", "~_svc", "~@team:example.org", "~o'brien", "~'", "~''--", "~-a", "~=a=", "~|a|b", "~:a:b", "~a..", "~a~", "~alice", "~" + strings.Repeat("x", 128),
		} {
			s.NewGroup(t, group, "alice", "bob")
			sent := s.Send(t, "alice", group, "to "+group)
			if m := s.List(t, client.ListMessagesParams{Recipient: &group}).Messages; len(m) != 1 || m[0].ID != sent.ID || m[0].Recipient != group {
				t.Errorf("%s: listed %+v", group, m)
			}
			if page := s.Thread(t, "bob", group, client.ListConversationMessagesParams{}); len(page.Messages) != 1 {
				t.Errorf("%s: a thread of %+v", group, page)
			}
			if marker := s.Read(t, "bob", group, sent.ID); marker.Peer != group {
				t.Errorf("%s: read as %+v", group, marker)
			}
			if got := s.Group(t, group); got.Address != group || got.MemberCount != 2 {
				t.Errorf("%s: it is %+v", group, got)
			}
			if members := s.Members(t, group); len(members) != 2 || members[1].Group != group || members[1].User != "bob" {
				t.Errorf("%s: it has %+v", group, members)
			}
			s.SetRole(t, group, "bob", client.RoleOwner)
			s.RemoveMember(t, group, "alice")
			apitest.Call(s.DeleteGroupWithResponse(t.Context(), group)).Must(t, http.StatusNoContent)
			apitest.Call(s.GetGroupWithResponse(t.Context(), group)).Must(t, http.StatusNotFound)
		}
	})
}

// TestGroupNames creates groups with names that are hard to handle, which must come back as they were.
func TestGroupNames(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		for i, name := range []string{
			"<script>alert(1)</script>", `"\`, "'; DROP TABLE groups; --", "  spaces  ", "\u202egnirts", "👩‍👩‍👧", "é", "é", "定期検修", strings.Repeat("😀", 128), "a\u200bb",
		} {
			address := fmt.Sprintf("~group-%d", i)
			apitest.Call(s.CreateGroupWithResponse(t.Context(), address, client.CreateGroupRequest{Name: name, Owner: new("alice")})).Must(t, http.StatusCreated)
			if got := s.Group(t, address).Name; got != name {
				t.Errorf("%q became %q", name, got)
			}
		}
		for _, name := range []string{"", " ", "\u200b", "\u3164", "a\nb", "a\tb", "\x00", "a\u0085", "\x7f", strings.Repeat("x", 129)} {
			create, update := client.CreateGroupRequest{Name: name, Owner: new("alice")}, client.UpdateGroupRequest{Name: &name}
			apitest.Call(s.CreateGroupWithResponse(t.Context(), "~bad", create)).Must(t, http.StatusUnprocessableEntity)
			apitest.Call(s.UpdateGroupWithResponse(t.Context(), "~group-0", update)).Must(t, http.StatusUnprocessableEntity)
		}
	})
}

// TestMembers adds users, and lists them in pages.
func TestMembers(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.StartWith(t, dbtest.NewURL(t, engine), app.Options{
			API: httpapi.Options{Authenticate: true}, Messaging: messaging.Options{GroupMaxMembers: 6, UserMaxGroups: 2},
		})
		s.NewGroup(t, "~first", "alice")
		s.NewGroup(t, "~second", "busy", "bob", "carol")
		s.NewGroup(t, "~third", "busy")
		s.Block(t, "mallory", "alice")
		s.Block(t, "carol", "bob")
		add := func(as *apitest.Client, want string, users ...string) {
			t.Helper()
			var outcomes []string
			for _, m := range apitest.Call(as.AddGroupMembersWithResponse(t.Context(), "~first", client.AddGroupMembersRequest{Users: users})).Must(t, http.StatusOK).JSON200.Members {
				outcomes = append(outcomes, m.User+" "+m.Outcome)
			}
			if got := strings.Join(outcomes, ", "); got != want {
				t.Errorf("adding %v: %s, want %s", users, got, want)
			}
		}
		alice := s.As(t, "alice")
		add(alice, "bob added, alice already-member, mallory blocked, busy too-many-groups, carol added", "bob", "alice", "mallory", "busy", "carol")
		add(alice, "bob already-member, mallory blocked", "bob", "mallory")
		add(s.Client, "mallory added", "mallory") // a service is nobody who could be blocked
		add(alice, "dora added, erik added, frida group-full, bob already-member", "dora", "erik", "frida", "bob")
		if got := s.Group(t, "~first").MemberCount; got != 6 {
			t.Errorf("it has %d members", got)
		}

		var listed []string
		for target := "/v1/groups/~first/members?limit=4"; target != ""; {
			answer := alice.Do(t, http.MethodGet, target, nil)
			var page client.MembershipPage
			if err := json.Unmarshal([]byte(answer.Body), &page); err != nil {
				t.Fatalf("%v in %s", err, answer.Body)
			}
			for _, m := range page.Members {
				listed = append(listed, m.User+" "+string(m.Role))
			}
			target = strings.TrimSuffix(strings.TrimPrefix(answer.Header.Get("Link"), "<"), `>; rel="next"`)
			if page.HasMore && (page.Next == nil || target != "/v1/groups/~first/members?after="+*page.Next+"&limit=4") {
				t.Errorf("after %s comes %s", answer.Body, target)
			}
		}
		want := []string{"alice owner", "bob member", "carol member", "dora member", "erik member", "mallory member"}
		if !slices.Equal(listed, want) {
			t.Errorf("listed %v, want %v", listed, want)
		}
		page := apitest.Call(alice.ListGroupMembersWithResponse(t.Context(), "~first", &client.ListGroupMembersParams{After: new("bob")})).Must(t, http.StatusOK).JSON200
		if len(page.Members) != 4 || page.HasMore || page.Members[0].User != "carol" {
			t.Errorf("after bob come %+v", page)
		}
	})
}

// groupBodies are requests that have, one at a time, every member of the bodies of operations for groups, and what is then
// read of the group ~team of alice and bob.
var groupBodies = map[string]struct{ body, path, says string }{
	"createGroup/name":      {`{"owner": "alice", "name": "New"}`, "/v1/groups/~new", `"name":"New"`},
	"createGroup/metadata":  {`{"owner": "alice", "name": "New", "metadata": {"n": 0.10}}`, "/v1/groups/~new", `"metadata":{"n":0.10}`},
	"createGroup/history":   {`{"owner": "alice", "name": "New", "history": "none"}`, "/v1/groups/~new", `"history":"none"`},
	"createGroup/owner":     {`{"owner": "carol", "name": "New"}`, "/v1/groups/~new/members", `"user":"carol","role":"owner"`},
	"updateGroup/name":      {`{"name": "Other"}`, "/v1/groups/~team", `"name":"Other","history":"all"`},
	"updateGroup/metadata":  {`{"metadata": {"n": 0.10}}`, "/v1/groups/~team", `"metadata":{"n":0.10}`},
	"updateGroup/history":   {`{"history": "none"}`, "/v1/groups/~team", `"name":"team","history":"none"`},
	"addGroupMembers/users": {`{"users": ["dora", "carol"]}`, "/v1/groups/~team/members", `"user":"dora","role":"member"`},
	"setGroupMember/role":   {`{"role": "admin"}`, "/v1/groups/~team/members", `"user":"bob","role":"admin"`},
}

// TestGroupRequests sends each member of each request body about groups: it must have an effect that can be read.
func TestGroupRequests(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		for _, o := range operations(t) {
			if o.Tags[0] != "Groups" || o.RequestBody == nil {
				continue
			}
			for member := range bodyOf(o.Operation).Properties {
				test, known := groupBodies[o.id+"/"+member]
				if !known {
					t.Errorf("%s has a member %s: add a request to groupBodies", o.id, member)
					continue
				}
				s := apitest.Start(t, engine, messaging.Options{})
				s.NewGroup(t, "~team", "alice", "bob")
				address := "~team"
				if o.id == "createGroup" {
					address = "~new"
				}
				path := strings.NewReplacer("{groupId}", address, "{userId}", "bob").Replace(o.path)
				answer := s.Do(t, o.method, path, strings.NewReader(test.body), "Content-Type: application/json")
				read := s.Do(t, http.MethodGet, test.path, nil)
				if answer.Status != o.success || !strings.Contains(read.Body, test.says) {
					t.Errorf("%s: answered %d %s, and then %s lacks %s", test.body, answer.Status, answer.Body, read.Body, test.says)
				}
			}
		}
	})
}
