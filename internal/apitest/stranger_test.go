package apitest_test

import (
	"fmt"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/app"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/httpapi"
	"github.com/message-service/message-service/internal/identity"
	"github.com/message-service/message-service/internal/messaging"
)

// startWithTokens starts a server that asks for credentials, and returns a function that makes the
// Authorization of a user.
func startWithTokens(t *testing.T, engine db.Engine) (s *apitest.Server, authorize func(user string) string) {
	t.Helper()
	secrets, err := identity.ParseSecrets("test=" + strings.Repeat("0123456789abcdef", 2))
	if err != nil {
		t.Fatal(err)
	}
	s = apitest.StartWith(t, dbtest.NewURL(t, engine), app.Options{
		API:      httpapi.Options{Authenticate: true},
		Identity: identity.Options{Secrets: secrets, Audience: "test"},
		MakeKey:  true,
	})
	return s, func(user string) string {
		t.Helper()
		token, _, err := s.Identity.CreateToken(identity.Operator, user, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return "Authorization: Bearer " + token
	}
}

// requestsWithIDs are the requests in which carl may put the id of a message, for {id}.
var requestsWithIDs = []struct{ method, path, body, header string }{
	{"GET", "/v1/messages/{id}", "", ""},
	{"HEAD", "/v1/messages/{id}", "", ""},
	{"PATCH", "/v1/messages/{id}", `{"text": "mine"}`, ""},
	{"PATCH", "/v1/messages/{id}", `{"metadata": null}`, ""},
	{"DELETE", "/v1/messages/{id}", "", ""},
	{"POST", "/v1/messages", `{"sender": "carl", "recipient": "alice", "text": "x", "replyTo": "{id}"}`, ""},
	{"POST", "/v1/messages", `{"sender": "carl", "recipient": "bob", "text": "x", "replyTo": "{id}"}`, "Idempotency-Key: theirs"},
	{"GET", "/v1/messages?recipient=carl&before={id}", "", ""},
	{"HEAD", "/v1/messages?recipient=carl&sender=carl&limit=1&after={id}", "", ""},
	{"GET", "/v1/messages?recipient=alice&sender=carl&limit=1&before={id}", "", ""},
	{"GET", "/v1/messages?sender=carl&q=note&highlight=true&limit=1&before={id}", "", ""},
	{"GET", "/v1/users/carl/conversations?limit=1&before={id}", "", ""},
	{"GET", "/v1/users/carl/conversations/alice/messages?after={id}", "", ""},
	{"GET", "/v1/users/carl/conversations/carl/messages?q=note&before={id}", "", ""},
	{"PUT", "/v1/users/carl/conversations/alice/read-marker", `{"messageId": "{id}"}`, ""},
	{"PUT", "/v1/users/carl/conversations/carl/read-marker", `{"messageId": "{id}"}`, ""},
	{"GET", "/v1/users/carl/changes?limit=1&after={id}", "", ""},
	{"GET", "/v1/users/carl/changes?limit=1", "", "Last-Event-ID: {id}"},
	{"HEAD", "/v1/users/carl/changes?lastEventId={id}", "", "Accept: text/event-stream"},
}

// TestStrangersAnswers sends carl's requests with the id of a message between others, and with one that no
// message has: the answers are the same but for that id, in every header too.
func TestStrangersAnswers(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s, authorize := startWithTokens(t, engine)
		send := func(sender, recipient, text string) messaging.ID {
			t.Helper()
			m, _, err := s.Service.Send(t.Context(), messaging.AsService, messaging.Draft{Sender: sender, Recipient: recipient, Text: text, IdempotencyKey: text})
			if err != nil {
				t.Fatal(err)
			}
			return m.ID
		}
		send("carl", "carl", "note 1")
		send("carl", "alice", "note 2")
		theirs := map[string]messaging.ID{"live": send("alice", "bob", "theirs"), "deleted": send("alice", "bob", "deleted")}
		if err := s.Service.Delete(t.Context(), messaging.AsService, theirs["deleted"]); err != nil {
			t.Fatal(err)
		}
		send("carl", "alice", "note 3")
		send("carl", "carl", "note 4")
		carl := authorize("carl")
		for name, id := range theirs {
			none := id
			none[len(none)-1] ^= 1
			for _, r := range requestsWithIDs {
				answer := func(id messaging.ID) string {
					put := strings.NewReplacer("{id}", uuid.UUID(id).String()).Replace
					header := []string{carl, "Content-Type: application/json"}
					if r.header != "" {
						header = append(header, put(r.header))
					}
					return describeAnswer(s.Do(t, r.method, put(r.path), strings.NewReader(put(r.body)), header...), id)
				}
				if a, b := answer(id), answer(none); a != b || strings.Contains(a, "theirs") {
					t.Errorf("%s %s %s with the id of a %s message: %s\nwith that of none: %s", r.method, r.path, r.header, name, a, b)
				}
			}
		}
	})
}

// describeAnswer writes an answer without what differs between any two, and with {id} in place of the id.
func describeAnswer(answer apitest.Answer, id messaging.ID) string {
	header := maps.Clone(answer.Header)
	for _, name := range []string{"Date", "X-Request-Id", "Ratelimit"} {
		delete(header, name)
	}
	text := fmt.Sprintf("%d %v %s", answer.Status, header, answer.Body)
	text = strings.ReplaceAll(text, answer.Header.Get("X-Request-Id"), "")
	return strings.ReplaceAll(text, id.String(), "{id}")
}

// TestActingAsOthers has carl name others where a user must be named: the answer names the member or
// parameter, and is the same whether these others exist.
func TestActingAsOthers(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s, authorize := startWithTokens(t, engine)
		m, _, err := s.Service.Send(t.Context(), messaging.AsService, messaging.Draft{Sender: "alice", Recipient: "bob", Text: "theirs"})
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range []struct{ method, path, body, names string }{
			{"POST", "/v1/messages", `{"sender": "{user}", "recipient": "carl", "text": "x"}`, `"pointer":"/sender"`},
			{"GET", "/v1/messages", "", `"parameter":"recipient"`},
			{"GET", "/v1/messages?recipient={user}", "", `"parameter":"sender"`},
			{"GET", "/v1/messages?recipient={user}&sender=bob&q=theirs", "", `"parameter":"recipient"`},
			{"GET", "/v1/users/{user}/conversations", "", `"parameter":"userId"`},
			{"GET", "/v1/users/{user}/conversations/carl", "", `"parameter":"userId"`},
			{"GET", "/v1/users/{user}/conversations/carl/messages", "", `"parameter":"userId"`},
			{"PUT", "/v1/users/{user}/conversations/bob/read-marker", `{"messageId": "` + m.ID.String() + `"}`, `"parameter":"userId"`},
			{"GET", "/v1/users/{user}/blocks", "", `"parameter":"userId"`},
			{"PUT", "/v1/users/{user}/blocks/carl", "", `"parameter":"userId"`},
			{"DELETE", "/v1/users/{user}/blocks/carl", "", `"parameter":"userId"`},
			{"GET", "/v1/users/{user}/changes", "", `"parameter":"userId"`},
			{"GET", "/v1/users/{user}/export", "", `"parameter":"userId"`},
			{"DELETE", "/v1/users/{user}", "", ""},
			{"DELETE", "/v1/users/carl", "", ""},
		} {
			answer := func(user string) string {
				put := strings.NewReplacer("{user}", user).Replace
				answer := s.Do(t, r.method, put(r.path), strings.NewReader(put(r.body)), authorize("carl"), "Content-Type: application/json")
				if answer.Status != http.StatusForbidden || !strings.Contains(answer.Body, r.names) {
					t.Errorf("%s %s as carl: %d %s", r.method, put(r.path), answer.Status, answer.Body)
				}
				return describeAnswer(answer, m.ID)
			}
			if a, b := answer("alice"), answer("nobody"); a != b {
				t.Errorf("%s %s of alice: %s\nof nobody: %s", r.method, r.path, a, b)
			}
		}
		for method, body := range map[string]string{"PATCH": `{"text": "x"}`, "DELETE": ""} { // by its recipient
			answer := s.Do(t, method, "/v1/messages/"+m.ID.String(), strings.NewReader(body), authorize("bob"), "Content-Type: application/json")
			if answer.Status != http.StatusForbidden {
				t.Errorf("%s as bob: %d %s", method, answer.Status, answer.Body)
			}
		}
	})
}

// TestListOfOthers has a user list what is not theirs: the answer says what they may list. The list of a group of theirs is one.
func TestListOfOthers(t *testing.T) {
	t.Parallel()
	s := apitest.StartWith(t, dbtest.NewURL(t, db.SQLite), app.Options{API: httpapi.Options{Authenticate: true}})
	s.NewGroup(t, "~team", "alice")
	alice := s.As(t, "alice")
	for _, params := range []client.ListMessagesParams{{}, {Recipient: new("bob")}, {Recipient: new("bob"), Sender: new("carol")}} {
		answer := apitest.Call(alice.ListMessagesWithResponse(t.Context(), &params)).Must(t, http.StatusForbidden)
		if errors := answer.ApplicationProblemJSON403.Errors; len(errors) != 2 || errors[0].Detail != "must be the user of the token, or a group of theirs" {
			t.Errorf("refused %+v with %s", params, answer.Body)
		}
	}
	apitest.Call(alice.ListMessagesWithResponse(t.Context(), &client.ListMessagesParams{Recipient: new("~team")})).Must(t, http.StatusOK)
	apitest.Call(alice.ListMessagesWithResponse(t.Context(), &client.ListMessagesParams{Recipient: new("~none")})).Must(t, http.StatusNotFound)
}
