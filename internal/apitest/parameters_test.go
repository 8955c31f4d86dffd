package apitest_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/uuid"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/contract"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/messaging"
)

// TestLastEventID gives the cursor by each of the three parameters, in the order of precedence,
// and empty ones.
func TestLastEventID(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		one, two := s.Send(t, "alice", "bob", "one"), s.Send(t, "alice", "bob", "two")
		zero, first, second := uuid.Nil.String(), one.ID.String(), two.ID.String()
		for name, test := range map[string]struct {
			query  string
			header []string
			want   string
		}{
			"after":                    {"after=" + zero, nil, "one, two"},
			"query alone":              {"lastEventId=" + first, nil, "two"},
			"query before after":       {"after=" + zero + "&lastEventId=" + first, nil, "two"},
			"header before query":      {"lastEventId=" + first + "&after=" + first, []string{"Last-Event-ID: " + zero}, "one, two"},
			"header before after":      {"after=" + zero, []string{"Last-Event-ID: " + second}, ""},
			"empty header":             {"after=" + first, []string{"Last-Event-ID: "}, "two"},
			"empty query":              {"after=" + first + "&lastEventId=", nil, "two"},
			"name alone":               {"after=" + first + "&lastEventId", nil, "two"},
			"empty header, then query": {"after=" + zero + "&lastEventId=" + first, []string{"Last-Event-ID: "}, "two"},
			"nothing but empty":        {"lastEventId=", []string{"Last-Event-ID: "}, ""},
		} {
			answer := s.Do(t, http.MethodGet, "/v1/users/bob/changes?"+test.query, nil, test.header...)
			var page client.ChangePage
			if err := json.Unmarshal([]byte(answer.Body), &page); err != nil || answer.Status != http.StatusOK || describe(page.Changes) != test.want {
				t.Errorf("%s: %v, answered %d %s, want %q", name, err, answer.Status, answer.Body, test.want)
			}
		}
		for name, path := range map[string]string{"lastEventId": "lastEventId=" + uuid.Max.String() + "&after=" + zero, "after": "after=" + uuid.Max.String()} {
			if answer := s.Do(t, http.MethodGet, "/v1/users/bob/changes?"+path, nil); !slices.Contains(errorPlaces(answer.Body), name) {
				t.Errorf("%s: answered %d %s, want the parameter %s", path, answer.Status, answer.Body, name)
			}
		}
	})
}

// errorPlaces are the parameters and members of the body that a problem document names.
func errorPlaces(body string) (names []string) {
	var problem client.Problem
	_ = json.Unmarshal([]byte(body), &problem) // leaves it empty if the body is not JSON
	for _, e := range problem.Errors {
		for _, place := range []*string{e.Parameter, e.Pointer} {
			if place != nil {
				names = append(names, *place)
			}
		}
	}
	return names
}

// TestTimesInLowerCase sends times with lower-case letters, which RFC 3339 allows, and invalid ones.
func TestTimesInLowerCase(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		s.Send(t, "alice", "bob", "now")
		for _, path := range []string{"/v1/messages?", "/v1/users/bob/conversations/alice/messages?"} {
			for since, want := range map[string]int{
				"2026-01-01t00:00:00z": 200, "2026-01-01T00:00:00z": 200, "2026-01-01t00:00:00.5Z": 200, "2026-01-01t00:00:00+01:00": 200,
				"2026-01-01 00:00:00z": 400, "2026-01-01t00:00:00": 400, "2026-02-31t00:00:00z": 400, "z": 400,
			} {
				query := url.Values{"since": {since}, "until": {"2100-01-01t00:00:00z"}}.Encode()
				answer := s.Do(t, http.MethodGet, path+query, nil)
				var page client.MessagePage
				if answer.Status != want || want == 200 && (json.Unmarshal([]byte(answer.Body), &page) != nil || len(page.Messages) != 1) {
					t.Errorf("%s%s: answered %d %s", path, query, answer.Status, answer.Body)
				}
			}
		}
	})
}

// TestBooleanParameters sends each boolean parameter of each operation as what the contract has, and as what other
// languages write.
func TestBooleanParameters(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		from, found := stored{s.Send(t, "sender", "recipient", "it")}, 0
		for path, item := range contract.Document().Paths.Map() {
			for method, operation := range item.Operations() {
				for _, p := range slices.Concat(item.Parameters, operation.Parameters) {
					if !p.Value.Schema.Value.Type.Is(openapi3.TypeBoolean) {
						continue
					}
					found++
					query := url.Values{"q": {"it"}, "recipient": {"recipient"}}
					maps.DeleteFunc(query, func(name string, _ []string) bool {
						return operation.Parameters.GetByInAndName(openapi3.ParameterInQuery, name) == nil
					})
					for value, want := range map[string]int{
						"true": 200, "false": 200, "": 400, "1": 400, "0": 400, "t": 400, "F": 400, "TRUE": 400, "True": 400, "yes": 400, "2": 400,
					} {
						query.Set(p.Value.Name, value)
						answer := s.Do(t, method, from.path(t, path)+"?"+query.Encode(), nil)
						if answer.Status != want || want == 400 && !slices.Equal(errorPlaces(answer.Body), []string{p.Value.Name}) {
							t.Errorf("%s %s?%s: answered %d %s", method, path, query.Encode(), answer.Status, answer.Body)
						}
					}
				}
			}
		}
		if found < 4 {
			t.Errorf("there are %d", found)
		}
	})
}

// TestEveryParameter sends each parameter of each read operation. The response must differ from the
// one without it, or refuse it by name: no parameter may be accepted without effect.
func TestEveryParameter(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		var moments atomic.Int64 // each message in a second of its own
		s := apitest.Start(t, engine, messaging.Options{Now: func() time.Time { return time.Now().Add(time.Duration(moments.Add(1)) * time.Second) }})
		s.Send(t, "other", "recipient", "before it")
		s.Send(t, "other", "sender", "before it")
		s.Send(t, "sender", "recipient", "before it")
		middle := stored{s.Send(t, "sender", "recipient", "in the middle of it")}
		s.Send(t, "sender", "recipient", "after it")
		for _, peer := range []string{"a", "b"} { // before and after the name of the parameter
			s.Block(t, "sender", peer)
		}
		s.NewGroup(t, "~team", "a", "b", "c")
		for path, item := range contract.Document().Paths.Map() {
			if item.Get == nil {
				continue
			}
			for _, p := range slices.Concat(item.Parameters, item.Get.Parameters) {
				if p := p.Value; p.In != openapi3.ParameterInPath {
					t.Run(item.Get.OperationID+"/"+p.Name, func(t *testing.T) {
						giveParameter(t, s, middle.path(t, path), item.Get.OperationID, p, middle)
					})
				}
			}
		}
	})
}

// otherParameters are parameters without which others of the operation have no effect.
var otherParameters = map[string]url.Values{
	"listMessages":   {"recipient": {"recipient"}},
	"listChanges":    {"after": {uuid.Nil.String()}},
	"searchMessages": {"q": {"it"}},
}

// giveParameter sends the request with the parameter and without it.
func giveParameter(t *testing.T, s *apitest.Server, path, operation string, p *openapi3.Parameter, from stored) {
	switch p.Name {
	case "wait":
		t.Skip("it changes when there is an answer, not which: see TestWait")
	case "ticket":
		t.Skip("it changes who may have the answer, not which: see TestStreamTickets")
	}
	encoded, err := json.Marshal(from.value(t, p.Name, p.Schema.Value))
	if err != nil {
		t.Fatal(err)
	}
	value := strings.Trim(string(encoded), `"`)
	without, with := url.Values{}, url.Values{}
	maps.Copy(with, otherParameters[operation])
	maps.Copy(without, otherParameters[operation])
	var header []string
	if p.In == openapi3.ParameterInHeader {
		header = []string{p.Name + ": " + value}
	} else {
		with.Set(p.Name, value)
		without.Del(p.Name)
	}
	before := s.Do(t, http.MethodGet, path+"?"+without.Encode(), nil)
	after := s.Do(t, http.MethodGet, path+"?"+with.Encode(), nil, header...)
	switch {
	case p.Required && slices.Contains(errorPlaces(before.Body), p.Name):
	case before.Status != http.StatusOK:
		t.Fatalf("without it: %d %s", before.Status, before.Body)
	case after.Status != http.StatusOK && !slices.Contains(errorPlaces(after.Body), p.Name):
		t.Errorf("%s is refused, and not named: %d %s", value, after.Status, after.Body)
	case after.Body == before.Body:
		t.Errorf("%s has no effect: %s", value, after.Body)
	}
}
