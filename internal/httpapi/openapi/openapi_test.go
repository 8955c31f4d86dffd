package openapi

import (
	"errors"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/message-service/message-service/internal/httpapi/problem"
)

const pets = `
openapi: 3.0.3
info: {title: Pets, version: '1'}
paths:
  /pets:
    post:
      parameters:
        - {name: Trace, in: header, schema: {type: string, maxLength: 3, pattern: '^[a-z]*$', x-rule: must be small letters}}
        - {name: Owner, in: header, required: true, schema: {type: string, minLength: 2}}
        - {name: Last, in: header, x-empty-is-absent: true, schema: {type: string, format: uuid}}
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              additionalProperties: false
              required: [name]
              minProperties: 1
              properties:
                name: {type: string, minLength: 2, maxLength: 5, pattern: '^\S*$'}
                kind: {type: string, enum: [cat, dog]}
                age: {type: integer, format: int32, minimum: 0, maximum: 30}
                weight: {type: number, minimum: 0.5}
                chip: {type: string, format: uuid}
                born: {type: string, format: date-time}
                tame: {type: boolean}
                tags: {type: array, minItems: 1, maxItems: 2, uniqueItems: true, items: {type: string, maxLength: 3}}
                notes: {type: object, additionalProperties: true, nullable: true}
      responses:
        '201': {description: Added., content: {application/json: {schema: {type: object}}}}
        '406': {description: The Accept header leaves it out.}
    get:
      parameters:
        - {name: limit, in: query, schema: {type: integer, format: int32, minimum: 1, maximum: 10}}
        - {name: kind, in: query, schema: {type: string, enum: [cat, dog]}}
        - {name: tame, in: query, schema: {type: boolean}}
        - {name: born, in: query, schema: {type: string, format: date-time}}
        - {name: last, in: query, allowEmptyValue: true, x-empty-is-absent: true, schema: {type: string, format: uuid}}
        - {name: name, in: query, schema: {type: string, minLength: 1, maxLength: 5}}
        - {name: owner, in: query, schema: {type: string, pattern: '^[a-z0-9+]*$', x-rule: must be an owner}}
        - {name: words, in: query, x-invalid-is-malformed: true, schema: {type: string, minLength: 1, maxLength: 5}}
      responses:
        '200': {description: Pets., content: {application/json: {schema: {type: object}}, text/event-stream: {schema: {type: string}}}}
        '406': {description: The Accept header leaves it out.}
  /pets/{chip}:
    parameters:
      - {name: chip, in: path, required: true, schema: {type: string, format: uuid}}
    get:
      responses:
        '200': {description: A pet., content: {application/json: {schema: {type: object}}}}
`

var limits = Limits{Bytes: 200, Levels: 3, Values: 10, TooDeep: "is too deep", TooMany: "is too many"}

// operations reads a document.
func operations(document string) (map[string]map[string]*Operation, error) {
	loaded, err := openapi3.NewLoader().LoadFromData([]byte(document))
	if err != nil {
		return nil, err
	}
	return Operations(loaded, limits)
}

// operationOf returns an operation of the document of this test.
func operationOf(t *testing.T, method, path string) *Operation {
	t.Helper()
	all, err := operations(pets)
	if err != nil {
		t.Fatal(err)
	}
	return all[path][method]
}

// isProblem checks the title, the detail and the fields of a problem.
func isProblem(t *testing.T, name string, err error, want string) {
	t.Helper()
	p, ok := errors.AsType[*problem.Error](err)
	switch {
	case err == nil && want == "":
	case !ok:
		t.Errorf("%s: %v is not a problem, want %q", name, err, want)
	case p.Error() != want:
		t.Errorf("%s:\ngot  %q\nwant %q", name, p.Error(), want)
	}
}

const (
	schemaBroken = "Unprocessable Content: The request breaks a rule of its schema; see errors.; "
	notJSON      = "Bad Request: The request body is not JSON that can be used; see errors.; "
	parameterBad = "Bad Request: The request has a parameter that cannot be understood; see errors.; "
	wrongType    = "Unsupported Media Type: The request body must be application/json.; Content-Type must be application/json"
	notAllowed   = `must be one of [cat dog]`
	compressed   = "Unsupported Media Type: The request body must not be compressed.; Content-Encoding must be absent"
)

// TestUncheckedIsRefused reads documents that use features which this package does not validate.
func TestUncheckedIsRefused(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ before, after, says string }{
		"cookie":            {"name: limit, in: query", "name: limit, in: cookie", "GET /pets: parameter limit: only those of the path, the query and the header"},
		"content":           {"name: limit, in: query, schema: {type: integer, format: int32, minimum: 1, maximum: 10}", "name: limit, in: query, content: {application/json: {}}", "parameter limit: only those"},
		"another body":      {"          application/json:\n            schema:", "          text/plain:\n            schema:", "POST /pets: a request body must be application/json and required"},
		"optional body":     {"        required: true\n        content", "        content", "must be application/json and required"},
		"unknown extension": {"x-empty-is-absent", "x-empty-means-absent", "parameter Last: x-empty-means-absent: true is unknown"},
	} {
		if !strings.Contains(pets, test.before) {
			t.Fatalf("%s: the document has no %q", name, test.before)
		}
		if _, err := operations(strings.Replace(pets, test.before, test.after, 1)); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: %v, want %q", name, err, test.says)
		}
	}
}
