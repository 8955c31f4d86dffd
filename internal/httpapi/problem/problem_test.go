package problem

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/message-service/message-service/api"
	"github.com/message-service/message-service/api/messageservice"
	"github.com/message-service/message-service/gen/server"
)

// kinds lists every kind.
var kinds = []Kind{
	BadRequest, CredentialRequired, CredentialInvalid, CredentialExpired, CredentialRevoked, Forbidden, InsufficientScope,
	SenderBlocked, NotFound, MethodNotAllowed, NotAcceptable, MessageDeleted, UserBeingErased, GroupExists, LimitReached, GroupTooLarge, TokenSecretsMissing, TooManyKeys,
	ContentTooLarge, UnsupportedMediaType, MisdirectedRequest, UnprocessableContent, IdempotencyKeyReused, CursorAhead,
	TooManyRequests, InternalServerError, ServiceUnavailable,
}

func contract(t *testing.T) *openapi3.T {
	t.Helper()
	document, err := openapi3.NewLoader().LoadFromData(api.Document)
	if err != nil {
		t.Fatal(err)
	}
	return document
}

// TestTypes compares the types of problems with those that the contract lists, and with those that
// the Go SDK names.
func TestTypes(t *testing.T) {
	t.Parallel()
	var types, listed []string
	for _, kind := range kinds {
		types = append(types, kind.Type())
	}
	description := contract(t).Components.Schemas["Problem"].Value.Properties["type"].Value.Description
	for _, quoted := range regexp.MustCompile("`([a-z-]+)`").FindAllStringSubmatch(description, -1) {
		listed = append(listed, "urn:problem-type:message-service:"+quoted[1])
	}
	slices.Sort(listed)
	if sorted := slices.Sorted(slices.Values(types)); !slices.Equal(sorted, listed) {
		t.Errorf("the kinds are\n%s\nand the contract lists\n%s", strings.Join(sorted, "\n"), strings.Join(listed, "\n"))
	}
	for _, named := range []string{
		messageservice.BadRequest, messageservice.SenderBlocked, messageservice.NotFound, messageservice.MessageDeleted,
		messageservice.ContentTooLarge, messageservice.UnprocessableContent, messageservice.IdempotencyKeyReused,
		messageservice.CursorAhead, messageservice.TooManyRequests, messageservice.ServiceUnavailable,
	} {
		if !slices.Contains(types, named) {
			t.Errorf("the SDK names %s, which the server does not have", named)
		}
	}
}

// TestWrite writes a problem after headers of another response were set.
func TestWrite(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Encoding", "gzip")
	w.Header().Set("X-Request-Id", "id")
	e := &Error{
		Kind: UnprocessableContent, Detail: "It is wrong.",
		Fields: []Field{Pointer("/a/0", "is odd"), Parameter("b", "is even")}, Header: http.Header{"Accept-Encoding": {"identity"}},
	}
	if err := NewWriter(contract(t)).Write(w, e, "id"); err != nil {
		t.Fatal(err)
	}
	want := `{"type":"urn:problem-type:message-service:unprocessable-content","title":"Unprocessable Content","status":422,` +
		`"detail":"It is wrong.","instance":"urn:request:id","errors":[{"pointer":"/a/0","detail":"is odd"},{"parameter":"b","detail":"is even"}]}` + "\n"
	if w.Code != http.StatusUnprocessableEntity || w.Body.String() != want {
		t.Errorf("%d\n%s\nwant\n%s", w.Code, w.Body, want)
	}
	header := http.Header{"Content-Type": {"application/problem+json"}, "Cache-Control": {"no-store"}, "X-Request-Id": {"id"}, "Accept-Encoding": {"identity"}}
	if !reflect.DeepEqual(w.Header(), header) {
		t.Errorf("header %v, want %v", w.Header(), header)
	}
	if want := "Unprocessable Content: It is wrong.; /a/0 is odd; b is even"; e.Error() != want {
		t.Errorf("in the log %q, want %q", e.Error(), want)
	}
}

// TestRetryAfter writes every kind: those that clients may retry have the header, and each document
// matches the schema.
func TestRetryAfter(t *testing.T) {
	t.Parallel()
	document := contract(t)
	for _, kind := range kinds {
		w := httptest.NewRecorder()
		if err := NewWriter(document).Write(w, &Error{Kind: kind, Detail: "No."}, "id"); err != nil {
			t.Fatal(err)
		}
		want := map[Kind]string{TooManyRequests: "5", ServiceUnavailable: "1"}[kind]
		if got := w.Header().Get("Retry-After"); got != want {
			t.Errorf("%s: Retry-After %q, want %q", kind.Title, got, want)
		}
		own := httptest.NewRecorder()
		if err := NewWriter(document).Write(own, &Error{Kind: kind, Header: http.Header{"Retry-After": {"17"}}}, "id"); err != nil {
			t.Fatal(err)
		}
		if got := own.Header().Get("Retry-After"); got != "17" {
			t.Errorf("%s: Retry-After %q of an error with its own, 17", kind.Title, got)
		}
		var value any
		if err := json.Unmarshal(w.Body.Bytes(), &value); err != nil {
			t.Fatal(err)
		}
		if err := document.Components.Schemas["Problem"].Value.VisitJSON(value); err != nil || w.Code != kind.Status {
			t.Errorf("%s: %d, %v", kind.Title, w.Code, err)
		}
	}
}

// TestBounds writes more and longer fields than the contract allows. The error itself, which requests may
// share, must not change.
func TestBounds(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("é", 3000)
	e := &Error{Kind: BadRequest, Detail: "Too much.", Fields: slices.Repeat([]Field{Pointer("/"+long, "is odd"), Parameter(long, "is even")}, 30)}
	w := httptest.NewRecorder()
	if err := NewWriter(contract(t)).Write(w, e, "id"); err != nil {
		t.Fatal(err)
	}
	var body server.Problem
	if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
		t.Fatal(err)
	}
	pointer, parameter := "/"+strings.Repeat("é", 1022)+"…", strings.Repeat("é", 255)+"…"
	if len(body.Errors) != 32 || *body.Errors[0].Pointer != pointer || *body.Errors[1].Parameter != parameter {
		t.Errorf("%d errors, of a pointer %.10q… and a parameter %.10q…", len(body.Errors), *body.Errors[0].Pointer, *body.Errors[1].Parameter)
	}
	if len(e.Fields) != 60 || *e.Fields[1].Parameter != long {
		t.Error("the error itself was changed")
	}
	for _, exact := range []string{"", strings.Repeat("é", 256)} {
		if got := truncate(&exact, 256); *got != exact {
			t.Errorf("%.10q… became %.10q…", exact, *got)
		}
	}
}
