package apitest_test

import (
	"crypto"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/app"
	"github.com/message-service/message-service/internal/contract"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/httpapi"
	"github.com/message-service/message-service/internal/messaging"
)

// requests has, for every operation of the contract, what a request that succeeds has beside its path: a query
// or a body. The request is one of bob's, who has written {messageId} to alice and owns {groupId}, in which she is too;
// {keyId} is a service key.
var requests = map[string]string{
	"sendMessage":               `{"sender": "bob", "recipient": "alice", "text": "hello"}`,
	"listMessages":              "?recipient=bob",
	"searchMessages":            "?q=written",
	"getMessage":                "",
	"editMessage":               `{"text": "edited"}`,
	"deleteMessage":             "",
	"listReaders":               "",
	"eraseUser":                 "",
	"exportUser":                "",
	"listConversations":         "",
	"getConversation":           "",
	"updateConversation":        `{"hidden": true}`,
	"getUnread":                 "",
	"listConversationMessages":  "?q=written",
	"setReadMarker":             `{"messageId": "{messageId}"}`,
	"setTyping":                 "",
	"createGroup":               `{"name": "Team", "owner": "bob"}`,
	"getGroup":                  "",
	"updateGroup":               `{"name": "Another team"}`,
	"deleteGroup":               "",
	"listGroupMembers":          "",
	"addGroupMembers":           `{"users": ["dora"]}`,
	"setGroupMember":            `{"role": "owner"}`,
	"removeGroupMember":         "",
	"listChanges":               "",
	"listBlocks":                "",
	"blockUser":                 "",
	"unblockUser":               "",
	"createStreamTicket":        "",
	"setTokenRevocation":        `{"issuedBefore": "2020-01-01T00:00:00Z"}`,
	"deleteTokenRevocation":     "",
	"setAllTokensRevocation":    `{"issuedBefore": "2020-01-01T00:00:00Z"}`,
	"deleteAllTokensRevocation": "",
	"createToken":               `{"userId": "bob"}`,
	"listKeys":                  "",
	"createKey":                 `{"name": "test", "scopes": ["messages:read"]}`,
	"revokeKey":                 "",
	"getLimits":                 "",
	"getStatus":                 "",
	"getHealth":                 "",
	"getReadiness":              "",
}

// written is a text that no refusal may contain.
const written = "what bob has written"

// operation is an operation of the contract, with its x-access.
type operation struct {
	*openapi3.Operation

	id, method, path string
	parameters       openapi3.Parameters // also those of the path
	success          int
	query, body      string // of a request that succeeds

	scope string // that a service key needs; "" if the operation is public
	user  any    // of x-access
}

func (o operation) isPublic() bool { return o.scope == "" }

// operations reads the contract.
func operations(t *testing.T) (list []operation) {
	t.Helper()
	for path, item := range contract.Document().Paths.Map() {
		for method, described := range item.Operations() {
			o := operation{Operation: described, id: described.OperationID, method: method, path: path}
			o.parameters = slices.Concat(item.Parameters, described.Parameters)
			if access, ok := described.Extensions["x-access"].(map[string]any); ok {
				o.scope, o.user = access["scope"].(string), access["user"]
			}
			request, ok := requests[o.id]
			if !ok {
				t.Errorf("the operation %s is new: add to requests what its request needs beside the path, for bob", o.id)
			}
			if strings.HasPrefix(request, "?") {
				o.query = request[1:]
			} else {
				o.body = request
			}
			for _, status := range slices.Sorted(maps.Keys(described.Responses.Map())) {
				if strings.HasPrefix(status, "2") { // the last one if there are several, which is that of something new
					_, _ = fmt.Sscan(status, &o.success)
				}
			}
			if o.success == 0 {
				t.Errorf("%s does not say what a success is", o.id)
			}
			list = append(list, o)
		}
	}
	if len(list) != len(requests) {
		t.Errorf("requests has %d operations, and the contract %d: remove those that are gone", len(requests), len(list))
	}
	slices.SortFunc(list, func(a, b operation) int { return strings.Compare(a.id, b.id) })
	return list
}

// accessTest is a run of TestAccess.
type accessTest struct {
	*apitest.Server

	t         *testing.T
	nobody    *apitest.Client // who sends no credential but those of the request
	issuer    *apitest.Issuer
	issuerKey crypto.Signer
	keys      map[string]string // by scopes
	revoked   string            // a service key
	expired   string            // another
	groups    int               // that there are, or are about to be
}

func (a *accessTest) group() string { return fmt.Sprintf("~team-%d", a.groups) }

// TestAccess makes a request for every operation of the contract with every kind of credential. A refusal says why
// by its type and in WWW-Authenticate, says nothing else, and changes nothing.
func TestAccess(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		a := newAccessTest(t, engine)
		for _, o := range operations(t) {
			values := a.prepare(o)
			before := a.stored()
			for _, c := range credentials {
				if want := c.want(o); want.problem != "" {
					a.refuses(o, values, c, want)
				}
			}
			if after := a.stored(); after != before {
				t.Errorf("%s: refused requests have made\n%s\nof\n%s", o.id, after, before)
			}
			for _, c := range credentials {
				if want := c.want(o); want.problem == "" {
					a.allows(o, c)
				}
			}
		}
	})
}

func newAccessTest(t *testing.T, engine db.Engine) *accessTest {
	t.Helper()
	a := &accessTest{t: t, keys: map[string]string{}, issuer: apitest.NewIssuer(t)}
	a.issuerKey = a.issuer.Publish(t, "first")
	options := app.Options{
		API: httpapi.Options{Authenticate: true, CORSOrigins: []string{webApp}}, Messaging: messaging.Options{GroupsByUsers: true},
	}
	options.Identity.Issuer = a.issuer.Options()
	a.Server = apitest.StartWith(t, dbtest.NewURL(t, engine), options)
	a.nobody = a.With("")

	revoked := a.NewKey(t, "test", client.Admin)
	a.revoked = revoked.Secret
	apitest.Call(a.RevokeKeyWithResponse(t.Context(), revoked.Key.ID)).Must(t, http.StatusNoContent)

	expires := client.CreateKeyRequest{Name: "expires", Scopes: []client.Scope{client.Admin}, ExpiresAt: new(time.Now().Add(time.Second))}
	a.expired = apitest.Call(a.CreateKeyWithResponse(t.Context(), expires)).Must(t, http.StatusCreated).JSON201.Secret
	until(t, func() bool {
		return a.nobody.Do(t, http.MethodGet, "/v1/keys", nil, "Authorization: Bearer "+a.expired).Status == http.StatusUnauthorized
	})
	return a
}

// stored returns everything that a request could change.
func (a *accessTest) stored() string {
	a.t.Helper()
	keys := apitest.Call(a.ListKeysWithResponse(a.t.Context())).Must(a.t, http.StatusOK).JSON200
	for i := range keys.Keys {
		keys.Keys[i].LastUsedOn = nil
	}
	others := slices.DeleteFunc(keys.Keys, func(k client.Key) bool { return k.Name == "credential" })
	group := []string{"", ""}
	for i, path := range []string{"", "/members"} {
		group[i] = requestID.ReplaceAllString(a.Do(a.t, http.MethodGet, "/v1/groups/"+a.group()+path, nil).Body, "")
	}
	text, err := json.Marshal([]any{a.Export(a.t, "bob"), a.Export(a.t, "alice"), group, others})
	if err != nil {
		a.t.Fatal(err)
	}
	return string(text)
}

// prepare makes what a request is about, and returns what is to be put in the place of parameters.
func (a *accessTest) prepare(o operation) *strings.Replacer {
	a.t.Helper()
	message, key := a.Send(a.t, "bob", "alice", written), ""
	if strings.Contains(o.path, "{keyId}") {
		key = a.NewKey(a.t, "test", client.MessagesRead).Key.ID
	}
	if a.groups++; strings.Contains(o.path, "{groupId}") && o.id != "createGroup" {
		a.NewGroup(a.t, a.group(), "bob", "alice")
		a.Send(a.t, "bob", a.group(), written)
	}
	return strings.NewReplacer(
		"{userId}", "bob", "{peerId}", "alice", "{messageId}", message.ID.String(), "{groupId}", a.group(), "{keyId}", key)
}

// request makes a request with a credential, and further header lines.
func (a *accessTest) request(o operation, values *strings.Replacer, c credential, method string, further ...string) apitest.Answer {
	a.t.Helper()
	query, header := c.make(a, o)
	header = append(slices.Clip(header), further...)
	target := strings.TrimRight(values.Replace(o.path)+"?"+o.query+"&"+query, "?&")
	if o.body != "" {
		header = append(header, "Content-Type: application/json")
	}
	answer := a.nobody.Do(a.t, method, target, strings.NewReader(values.Replace(o.body)), header...)
	for _, secret := range []string{query, strings.Join(header, "")} {
		if _, secret, _ = strings.Cut(secret, "Bearer "); len(secret) > 10 && strings.Contains(fmt.Sprint(answer), secret) {
			a.t.Errorf("%s with %s: the answer has the credential: %+v", o.id, c.name, answer)
		}
	}
	return answer
}

func (a *accessTest) allows(o operation, c credential) {
	a.t.Helper()
	if answer := a.request(o, a.prepare(o), c, o.method); answer.Status != o.success {
		a.t.Errorf("%s with %s: answered %d, want %d: %s", o.id, c.name, answer.Status, o.success, answer.Body)
	}
	if o.method == http.MethodGet {
		if answer := a.request(o, a.prepare(o), c, http.MethodHead); answer.Status != o.success || answer.Body != "" {
			a.t.Errorf("HEAD of %s with %s: answered %d, want %d: %s", o.id, c.name, answer.Status, o.success, answer.Body)
		}
	}
}

func (a *accessTest) refuses(o operation, values *strings.Replacer, c credential, want refusal) {
	a.t.Helper()
	answer := a.request(o, values, c, o.method)
	var problem client.Problem
	decoder := json.NewDecoder(strings.NewReader(answer.Body))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&problem); err != nil || answer.Status != want.status || int(problem.Status) != want.status ||
		problem.Type != "urn:problem-type:message-service:"+want.problem ||
		!slices.Equal(answer.Header.Values("WWW-Authenticate"), want.challenge) {
		a.t.Errorf("%s with %s: answered %d with %q, want %+v: %s (%v)", o.id, c.name, answer.Status, answer.Header["Www-Authenticate"], want, answer.Body, err)
	}
	if strings.Contains(answer.Body, written) || answer.Header.Get("Location") != "" {
		a.t.Errorf("%s with %s: the refusal says too much: %+v", o.id, c.name, answer)
	}
	if o.id == "listChanges" {
		stream := a.request(o, values, c, o.method, "Accept: text/event-stream")
		if requestID.ReplaceAllString(stream.Body, "") != requestID.ReplaceAllString(answer.Body, "") {
			a.t.Errorf("a stream with %s: answered %d %s", c.name, stream.Status, stream.Body)
		}
	}
	if o.method == http.MethodGet {
		head := a.request(o, values, c, http.MethodHead)
		if head.Status != want.status || head.Body != "" || !slices.Equal(head.Header.Values("WWW-Authenticate"), want.challenge) {
			a.t.Errorf("HEAD of %s with %s: answered %d with %v, want %+v", o.id, c.name, head.Status, head.Header, want)
		}
	}
}
