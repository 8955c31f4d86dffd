package httpapi

import (
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"

	"github.com/message-service/message-service/internal/contract"
	"github.com/message-service/message-service/internal/identity"
)

// TestAccessIsKnown damages x-access and x-rate in the contract: the server must not start.
func TestAccessIsKnown(t *testing.T) {
	t.Parallel()
	const (
		send    = "x-access: {scope: messages:write, user: [sender], group: member}\n      x-rate: send\n"
		list    = "x-access: {scope: messages:read, user: [recipient, sender], group: member}\n      x-rate: {q: search, otherwise: read}\n"
		add     = "x-access: {scope: groups:write, user: own, group: admin}\n      x-rate: {each: users, otherwise: write}\n"
		erase   = "security: [{serviceKey: []}]\n      x-access: {scope: users:erase, user: none}\n      x-rate: write\n"
		export  = "x-access: {scope: users:export, user: [userId]}"
		noGroup = "        '404':\n          $ref: '#/components/responses/GroupNotFound'\n"
		limits  = "operationId: getLimits\n      tags: [Service]\n      security: []\n      x-access: public\n      x-rate: none\n"
		refused = "        '401':\n          $ref: '#/components/responses/Unauthorized'\n"
	)
	for name, test := range map[string]struct{ text, before, after, says string }{
		"no access":                          {send, "x-access: {scope: messages:write, user: [sender], group: member}\n      ", "", "POST /v1/messages: x-access is missing"},
		"no rate":                            {send, "      x-rate: send\n", "", "POST /v1/messages: x-rate is missing"},
		"no value of access":                 {send, "{scope: messages:write, user: [sender], group: member}", "", "x-access: <nil> is unknown"},
		"unknown access":                     {limits, "public", "pubic", "x-access: pubic is unknown"},
		"unknown scope":                      {send, "messages:write", "messages:send", "messages:send"},
		"no scope":                           {send, "scope: messages:write, ", "", "is unknown"},
		"misspelt scope":                     {send, "scope:", "scop:", "is unknown"},
		"further member":                     {send, "user:", "role: member, user:", "is unknown"},
		"another third member":               {send, "group:", "groups:", "is unknown"},
		"no value of group":                  {send, "group: member", "group:", "is unknown"},
		"unknown role":                       {send, "group: member", "group: boss", "the role boss in a group is unknown"},
		"a role where there is no address":   {export, "[userId]", "[userId], group: member", "a role in a group is for users, and for operations with"},
		"a role for services only":           {erase, "user: none", "user: none, group: admin", "a role in a group is for users, and for operations with"},
		"no 404 for those who are not in it": {noGroup, noGroup, "", "404, which is not one of the responses"},
		"no user":                            {send, ", user: [sender]", "", "is unknown"},
		"unknown user":                       {send, "[sender]", "sender", "the user sender is unknown"},
		"nobody":                             {send, "[sender]", "[]", "the user [] is unknown"},
		"neither parameter nor member":       {send, "[sender]", "[senders]", "senders is neither a parameter nor a member"},
		"a parameter that is none":           {list, "[recipient, sender]", "[recipient, peer]", "peer is neither a parameter nor a member"},
		"a parameter or a member":            {send, "[sender]", "[sender, Idempotency-Key]", "the user [sender Idempotency-Key] is unknown"},
		"not a name":                         {send, "[sender]", "[1]", "1 is neither a parameter nor a member"},
		"public, with security":              {limits, "security: []\n      ", "", "public needs the security schemes [], and has [serviceKey userToken]"},
		"not public, without security":       {send, "x-access", "security: []\n      x-access", "needs the security schemes [serviceKey userToken], and has []"},
		"services only, with tokens":         {erase, "security: [{serviceKey: []}]\n      ", "", "needs the security schemes [serviceKey], and has [serviceKey userToken]"},
		"users, without tokens":              {send, "x-access", "security: [{serviceKey: []}]\n      x-access", "needs the security schemes [serviceKey userToken], and has [serviceKey]"},
		"both credentials at once":           {send, "x-access", "security: [{serviceKey: [], userToken: []}]\n      x-access", "and has [serviceKey and userToken]"},
		"credential optional":                {send, "x-access", "security: [{serviceKey: []}, {userToken: []}, {}]\n      x-access", "and has [serviceKey userToken ]"},
		"unknown class":                      {send, "x-rate: send", "x-rate: sends", "x-rate: sends is unknown"},
		"no value of rate":                   {send, "x-rate: send", "x-rate:", "x-rate: <nil> is unknown"},
		"unknown class of a parameter":       {list, "q: search", "q: searches", "is unknown"},
		"unknown class otherwise":            {list, "otherwise: read", "otherwise: reads", "is unknown"},
		"a class without otherwise":          {list, ", otherwise: read", "", "is unknown"},
		"unknown parameter":                  {list, "{q:", "{p:", "is unknown"},
		"two parameters":                     {list, "{q: search,", "{q: search, since: search,", "is unknown"},
		"each of no array":                   {add, "{each: users,", "{each: user,", "is unknown"},
		"each of a text":                     {send, "x-rate: send", "x-rate: {each: text, otherwise: send}", "is unknown"},
		"each without a class":               {add, "{each: users, otherwise: write}", "{each: users}", "is unknown"},
		"a limit for the public":             {limits, "x-rate: none", "x-rate: read", "x-rate: none is for public operations"},
		"no limit for those who are known":   {send, "x-rate: send", "x-rate: none", "x-rate: none is for public operations"},
		"no 401 where there may be one":      {refused, refused, "", "401, which is not one of the responses"},
		"members of another order, accepted": {send, "{scope: messages:write, user: [sender], group: member}", "{group: member, user: [sender], scope: messages:write}", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(test.text, test.before) {
				t.Fatalf("%q is not in %q", test.before, test.text)
			}
			_, err := operationsOf(t, test.text, strings.Replace(test.text, test.before, test.after, 1))
			if (err == nil) != (test.says == "") || err != nil && !strings.Contains(err.Error(), test.says) {
				t.Errorf("%v, want %q", err, test.says)
			}
		})
	}
}

// TestScopes compares the scopes that the contract lets service keys have with those that there are.
func TestScopes(t *testing.T) {
	t.Parallel()
	var scopes []any
	for _, scope := range identity.Scopes() {
		scopes = append(scopes, string(scope))
	}
	if listed := contract.Document().Components.Schemas["Scope"].Value.Enum; !reflect.DeepEqual(listed, scopes) {
		t.Errorf("the contract has %v, and package identity %v", listed, scopes)
	}
}

// TestAccess reads x-access and x-rate of operations of each kind.
func TestAccess(t *testing.T) {
	t.Parallel()
	operations, err := newOperations(contract.Document(), queues{"send-queue": func() error { return nil }})
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		method, route string
		access        access
		rate          rate
	}{
		{http.MethodPost, "/v1/messages", access{scope: "messages:write", users: true, group: "member"}, rate{class: "send"}},
		{http.MethodGet, "/v1/messages", access{scope: "messages:read", users: true, actors: []string{"recipient", "sender"}, group: "member"}, rate{class: "read", parameter: "q", otherClass: "search"}},
		{http.MethodPost, "/v1/groups/:groupId/members", access{scope: "groups:write", users: true, group: "admin"}, rate{class: "write", each: "users"}},
		{http.MethodPatch, "/v1/messages/:messageId", access{scope: "messages:write", users: true}, rate{class: "write"}},
		{http.MethodGet, "/v1/users/:userId/export", access{scope: "users:export", users: true, actors: []string{"userId"}}, rate{class: "read"}},
		{http.MethodDelete, "/v1/users/:userId", access{scope: "users:erase"}, rate{class: "write"}},
		{http.MethodGet, "/v1/limits", access{}, rate{}},
	} {
		op := operations[test.route][test.method]
		if !reflect.DeepEqual(op.access, test.access) || op.rate != test.rate {
			t.Errorf("%s %s: %+v and %+v, want %+v and %+v", test.method, test.route, op.access, op.rate, test.access, test.rate)
		}
	}
	for query, want := range map[string]string{"": "read", "recipient=bob": "read", "recipient=bob&q=lunch": "search", "q=": "search", "%71=lunch": "search"} {
		if got := operations["/v1/messages"][http.MethodGet].rate.of(&url.URL{RawQuery: query}); got != want {
			t.Errorf("?%s counts for %s, want %s", query, got, want)
		}
	}
}
