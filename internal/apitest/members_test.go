package apitest_test

import (
	"bytes"
	"encoding/json"
	"iter"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/messaging"
)

// TestEveryMember sends each member of each request body of the contract, one at a time beside
// the required ones. It must be returned in the response and in a later export of the user, or be refused by name: no
// member may be accepted and dropped. A conversation is read again instead: as such it is in no export.
func TestEveryMember(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		sent := 0
		for path, item := range apitest.Document().Paths.Map() {
			for method, operation := range item.Operations() {
				if operation.RequestBody == nil || slices.Contains([]string{"Credentials", "Groups"}, operation.Tags[0]) {
					continue // TestKeys, TestTokens and TestGroupRequests send these
				}
				schema := bodyOf(operation)
				// Each request gets a new message, so that each member changes something.
				send := func() stored { return stored{s.Send(t, "sender", "recipient", "before")} }
				for pointer, body := range bodies(t, schema, send) {
					sent++
					t.Run(operation.OperationID+pointer, func(t *testing.T) {
						about := send().path(t, path)
						sendMember(t, s, method, about, pointer, body, operation.OperationID == "updateConversation")
						name := strings.TrimPrefix(pointer, "/")
						if member := schema.Properties[name]; member != nil && member.Value.Nullable {
							sendNull(t, s, method, about, name)
						}
					})
				}
			}
		}
		if sent == 0 {
			t.Error("no request has a body")
		}
	})
}

// sendMember sends a body and looks for the member at the pointer: in the answer, and in what is read at the path or in an
// export of the sender.
func sendMember(t *testing.T, s *apitest.Server, method, path, pointer string, body map[string]any, readAtPath bool) {
	text, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	answer := s.Do(t, method, path, bytes.NewReader(text), "Content-Type: application/json")
	switch {
	case answer.Status >= 500:
		t.Fatalf("%s is answered %d %s", text, answer.Status, answer.Body)
	case answer.Status >= 400:
		var problem client.Problem
		if err := json.Unmarshal([]byte(answer.Body), &problem); err != nil {
			t.Fatal(err)
		}
		named := func(e client.FieldError) bool { return e.Pointer != nil && *e.Pointer == pointer }
		if !slices.ContainsFunc(problem.Errors, named) {
			t.Errorf("%s is refused, and %s not named: %s", text, pointer, answer.Body)
		}
		return
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(answer.Body), &got); err != nil {
		t.Fatalf("%s is answered %d %s", text, answer.Status, answer.Body)
	}
	if want := at(decoded(t, string(text)), pointer); !reflect.DeepEqual(at(got, pointer), want) {
		t.Errorf("%s: %s is accepted, and the answer does not have it: %s", text, pointer, answer.Body)
	}
	if readAtPath {
		if read := s.Do(t, http.MethodGet, path, nil); !reflect.DeepEqual(decoded(t, read.Body), got) {
			t.Errorf("%s is answered %s, and then read as %s", text, answer.Body, read.Body)
		}
		return
	}
	for line := range strings.Lines(s.Do(t, http.MethodGet, "/v1/users/sender/export", nil).Body) {
		for _, thing := range decoded(t, line) {
			if reflect.DeepEqual(thing, any(got)) {
				return
			}
		}
	}
	t.Errorf("%s is answered %s, which no later read returns", text, answer.Body)
}

// sendNull takes away a member that was sent before.
func sendNull(t *testing.T, s *apitest.Server, method, path, name string) {
	answer := s.Do(t, method, path, strings.NewReader(`{"`+name+`":null}`), "Content-Type: application/json")
	if got, has := decoded(t, answer.Body)[name]; answer.Status >= 400 || has {
		t.Errorf("%s: null is answered %d with %v", name, answer.Status, got)
	}
}

// TestEveryMemberOfARetry retries requests under their idempotency key without one of the members:
// that is a different request, which must be refused.
func TestEveryMemberOfARetry(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		send := func() stored { return stored{s.Send(t, "sender", "recipient", "before")} }
		for path, item := range apitest.Document().Paths.Map() {
			for method, operation := range item.Operations() {
				if operation.Parameters.GetByInAndName(openapi3.ParameterInHeader, "Idempotency-Key") == nil {
					continue
				}
				for pointer, body := range bodies(t, bodyOf(operation), send) {
					name, _, _ := strings.Cut(pointer[1:], "/")
					if slices.Contains(bodyOf(operation).Required, name) {
						continue
					}
					do := func() apitest.Answer {
						text, err := json.Marshal(body)
						if err != nil {
							t.Fatal(err)
						}
						return s.Do(t, method, send().path(t, path), bytes.NewReader(text), "Content-Type: application/json", "Idempotency-Key: "+pointer)
					}
					first := do()
					delete(body, name)
					if again := do(); first.Status >= 300 || again.Status != http.StatusUnprocessableEntity {
						t.Errorf("with %s: %d %s; again without it: %d %s", name, first.Status, first.Body, again.Status, again.Body)
					}
				}
			}
		}
	})
}

func bodyOf(operation *openapi3.Operation) *openapi3.Schema {
	return operation.RequestBody.Value.Content["application/json"].Schema.Value
}

func decoded(t *testing.T, text string) (object map[string]any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &object); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return object
}

// at returns the value at a JSON Pointer in an object.
func at(object map[string]any, pointer string) any {
	name, rest, nested := strings.Cut(pointer[1:], "/")
	if child, ok := object[name].(map[string]any); ok && nested {
		return at(child, "/"+rest)
	}
	return object[name]
}

// bodies yields objects with the required members of a schema and one more, with the JSON Pointer to
// that one: for each member, nested ones included.
func bodies(t *testing.T, schema *openapi3.Schema, send func() stored) iter.Seq2[string, map[string]any] {
	return func(yield func(string, map[string]any) bool) {
		for name, property := range schema.Properties {
			values := map[string]any{}
			if len(property.Value.Properties) > 0 {
				for pointer, object := range bodies(t, property.Value, send) {
					values[pointer] = object
				}
			} else {
				values[""] = send().value(t, name, property.Value)
			}
			for pointer, value := range values {
				body := send().required(t, schema)
				body[name] = value
				if !yield("/"+name+pointer, body) {
					return
				}
			}
		}
	}
}

// stored is a message from which valid parameter values are taken.
type stored struct{ client.Message }

// path fills in the parameters of a path.
func (s stored) path(t *testing.T, path string) string {
	path = strings.NewReplacer("{userId}", s.Sender, "{peerId}", s.Recipient, "{messageId}", s.ID.String(), "{groupId}", "~team").Replace(path)
	if strings.Contains(path, "{") {
		t.Fatalf("what is to be put into %s?", path)
	}
	return path
}

func (s stored) required(t *testing.T, schema *openapi3.Schema) map[string]any {
	object := map[string]any{}
	for _, name := range schema.Required {
		object[name] = s.value(t, name, schema.Properties[name].Value)
	}
	return object
}

// value returns a valid value of a schema other than its default.
func (s stored) value(t *testing.T, name string, schema *openapi3.Schema) any {
	t.Helper()
	candidates := []any{name, schema.Example, 1.0, true, s.ID.String(), s.SentAt, map[string]any{"in " + name: 1.0}}
	switch {
	case schema.Format == "uuid":
		return s.ID.String()
	case schema.Format == "date-time":
		when := s.SentAt.UTC()
		if name == "mutedUntil" { // one that is over is not kept
			when = when.AddDate(0, 0, 1)
		}
		return when.Format("2006-01-02T15:04:05.000Z") // as answers have it
	case schema.Type.Is("array"):
		return []any{s.value(t, name, schema.Items.Value)}
	case len(schema.Properties) > 0:
		return s.required(t, schema)
	}
	for _, bound := range []*float64{schema.Min, schema.Max} {
		if bound != nil {
			candidates = append(candidates, *bound)
		}
	}
	candidates = append(candidates, schema.Enum...)
	for _, value := range candidates {
		if value != nil && !reflect.DeepEqual(value, schema.Default) && schema.VisitJSON(value) == nil {
			return value
		}
	}
	t.Fatalf("what is a valid %s?", name)
	return nil
}
