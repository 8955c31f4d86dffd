package apitest_test

import (
	"fmt"
	"maps"
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

// groupRequests has, for every operation whose x-access names a role in a group, and those that are about own messages, the
// rest of a request of {me} that is about a {group} with a member tom, who has sent {messageId} to it.
var groupRequests = map[string]string{
	"sendMessage":              `{"sender": "{me}", "recipient": "{group}", "text": "hello"}`,
	"listMessages":             "?recipient={group}",
	"getMessage":               "",
	"editMessage":              `{"text": "edited"}`,
	"deleteMessage":            "",
	"listReaders":              "",
	"getConversation":          "",
	"listConversationMessages": "?q=written",
	"setReadMarker":            `{"messageId": "{messageId}"}`,
	"updateConversation":       `{"hidden": true}`,
	"setTyping":                "",
	"createGroup":              `{"name": "Another"}`,
	"getGroup":                 "",
	"updateGroup":              `{"name": "Another"}`,
	"deleteGroup":              "",
	"listGroupMembers":         "",
	"addGroupMembers":          `{"users": ["ursula"]}`,
	"setGroupMember":           `{"role": "admin"}`,
	"removeGroupMember":        "",
}

// roles are the callers, by what they are in the group.
var roles = []string{"owner", "admin", "member", "former", "stranger", "nobody's group"}

// mayInGroup has, by the role in x-access, what the callers are answered: ok, or a status.
var mayInGroup = map[any][]string{
	"member":        {"ok", "ok", "ok", "404", "404", "404"},
	"admin":         {"ok", "ok", "403", "404", "404", "404"},
	"owner":         {"ok", "403", "403", "404", "404", "404"},
	"admin-or-self": {"ok", "ok", "403", "404", "404", "404"},
	"create":        {"409", "409", "409", "409", "409", "ok"},

	"getMessage":    {"ok", "ok", "ok", "404", "404", "404"},
	"listReaders":   {"ok", "ok", "ok", "404", "404", "404"},
	"editMessage":   {"403", "403", "403", "404", "404", "404"},
	"deleteMessage": {"ok", "ok", "403", "404", "404", "404"},
}

// TestRoles has everyone do everything that can be done with a group. To users who are not members it answers as
// one that does not exist, word for word, except when they want to create it.
func TestRoles(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		options := app.Options{API: httpapi.Options{Authenticate: true}, Messaging: messaging.Options{GroupsByUsers: true}}
		s := apitest.StartWith(t, dbtest.NewURL(t, engine), options)
		used := map[string]bool{}
		for i, o := range operations(t) {
			access, _ := o.Extensions["x-access"].(map[string]any)
			role := access["group"]
			if role == nil && o.user == "own" {
				role = o.id
			}
			if role == nil {
				continue
			}
			used[o.id] = true
			request, known := groupRequests[o.id]
			if want := mayInGroup[role]; !known || want == nil {
				t.Errorf("%s needs %v in a group: add a request to groupRequests, and the role to mayInGroup", o.id, role)
				continue
			}
			var answers []string
			for j, me := range roles {
				group := fmt.Sprintf("~group-%d-%d", i, j)
				answer := inGroup(t, s, o, request, group, me)
				got := fmt.Sprint(answer.Status)
				if answer.Status == o.success {
					got = "ok"
				}
				if want := mayInGroup[role][j]; got != want {
					t.Errorf("%s as %s: answered %d, want %s: %s", o.id, me, answer.Status, want, answer.Body)
				}
				body := requestID.ReplaceAllString(answer.Body, "")
				answers = append(answers, strings.ReplaceAll(body, group, ""))
			}
			if o.id != "createGroup" && (answers[3] != answers[4] || answers[4] != answers[5]) {
				t.Errorf("%s: these answers tell whether there is a group: %q", o.id, answers[3:])
			}
		}
		if len(used) != len(groupRequests) {
			t.Errorf("groupRequests has %v, and the contract %v", slices.Sorted(maps.Keys(groupRequests)), slices.Sorted(maps.Keys(used)))
		}
	})
}

// inGroup makes a group, in which everyone but the stranger is what they are called, and has one of them make a request.
// Nobody's group is one that does not exist.
func inGroup(t *testing.T, s *apitest.Server, o operation, request, group, me string) apitest.Answer {
	t.Helper()
	messageID := s.Send(t, "tom", "tom", written).ID.String() // which others know nothing of
	if me != "nobody's group" {
		s.NewGroup(t, group, "owner", "admin", "member", "former", "tom")
		s.SetRole(t, group, "admin", client.RoleAdmin)
		messageID = s.Send(t, "tom", group, written).ID.String()
		s.RemoveMember(t, group, "former")
	} else {
		me = "somebody"
	}
	values := strings.NewReplacer("{group}", group, "{groupId}", group, "{peerId}", group, "{messageId}", messageID, "{me}", me)
	user := me
	if strings.Contains(o.path, "{groupId}") {
		user = "tom"
	}
	target := values.Replace(strings.ReplaceAll(o.path, "{userId}", user))
	if rest, isQuery := strings.CutPrefix(request, "?"); isQuery {
		target, request = target+"?"+values.Replace(rest), ""
	}
	var header []string
	if request != "" {
		header = append(header, "Content-Type: application/json")
	}
	return s.As(t, me).Do(t, o.method, target, strings.NewReader(values.Replace(request)), header...)
}

// TestLeave has every kind of member leave, and remove those whom they may not.
func TestLeave(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.StartAuthenticated(t, dbtest.NewURL(t, engine))
		for _, test := range []struct {
			who, whom string
			status    int
			owner     string // afterwards
		}{
			{"member", "member", http.StatusNoContent, "owner"},
			{"admin", "admin", http.StatusNoContent, "owner"},
			{"owner", "owner", http.StatusNoContent, "admin"},
			{"stranger", "stranger", http.StatusNotFound, "owner"},
			{"member", "admin", http.StatusForbidden, "owner"},
			{"member", "stranger", http.StatusForbidden, "owner"},
			{"admin", "another admin", http.StatusForbidden, "owner"},
			{"admin", "owner", http.StatusForbidden, "owner"},
			{"admin", "stranger", http.StatusNotFound, "owner"},
			{"admin", "member", http.StatusNoContent, "owner"},
			{"owner", "admin", http.StatusNoContent, "owner"},
			{"service", "owner", http.StatusNoContent, "admin"},
			{"service", "stranger", http.StatusNotFound, "owner"},
		} {
			group := "~" + test.who + "-" + strings.ReplaceAll(test.whom, " ", "-")
			s.NewGroup(t, group, "owner", "member", "admin", "another-admin")
			s.SetRole(t, group, "admin", client.RoleAdmin)
			s.SetRole(t, group, "another-admin", client.RoleAdmin)
			as := s.Client
			if test.who != "service" {
				as = s.As(t, test.who)
			}
			whom := strings.ReplaceAll(test.whom, " ", "-")
			answer := apitest.Call(as.RemoveGroupMemberWithResponse(t.Context(), group, whom)).Must(t, test.status)
			members := s.Members(t, group)
			isOwner := func(m client.Membership) bool { return m.Role == client.RoleOwner }
			i := slices.IndexFunc(members, isOwner)
			if i < 0 || members[i].User != test.owner || slices.ContainsFunc(members[i+1:], isOwner) {
				t.Errorf("%s removed %s: %s leaves %+v", test.who, test.whom, answer.Status(), members)
			}
			if test.status == http.StatusNoContent && slices.ContainsFunc(members, func(m client.Membership) bool { return m.User == whom }) {
				t.Errorf("%s removed %s, who is still there", test.who, test.whom)
			}
		}
	})
}
