package openapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/message-service/message-service/internal/httpapi/problem"
)

// TestBody checks valid and invalid bodies.
func TestBody(t *testing.T) {
	t.Parallel()
	op := operationOf(t, http.MethodPost, "/pets")
	for body, want := range map[string]string{
		`{"name":"Tom"}`: "",
		` { "name" : "T\u006fm", "notes" : {"a": [1e400, "é"]}, "tags": ["a"], "age": 30, "weight": 0.5 } `: "",
		`{"name":"Tom","notes":null}`:                                  "",
		`{"name":"Tom","born":"2026-02-28T23:59:59.5+01:00"}`:          "",
		`{"name":"Tom","chip":"01A20846-FF6E-7a53-9c1e-3c8a1e7d9b42"}`: "",
		`{"name":"` + strings.Repeat("🐈", 5) + `"}`:                    "",
		`{"name":"Tom","notes":"` + strings.Repeat("x", 170) + `"}`:    schemaBroken + "/notes must be of type object",
		`{"name":"Tom","notes":"` + strings.Repeat("x", 200) + `"}`:    "Content Too Large: The request body is larger than 200 bytes.",
		strings.Repeat(" ", 201):                                       "Content Too Large: The request body is larger than 200 bytes.",

		"":                               notJSON + " ends too early",
		" ":                              notJSON + " ends too early",
		`{"name":"Tom"`:                  notJSON + " ends too early",
		`{"name":`:                       notJSON + "/name ends too early",
		`{"name":"Tom",}`:                notJSON + " is not valid JSON near byte 13",
		`{'name':'Tom'}`:                 notJSON + " is not valid JSON near byte 1",
		`{"name":NaN}`:                   notJSON + "/name is not valid JSON near byte 8",
		`{"name":01}`:                    notJSON + " is not valid JSON near byte 9",
		`{"name":"Tom"}{}`:               notJSON + " is followed by more data at byte 15",
		`{"name":"Tom"} x`:               notJSON + " is followed by more data at byte 14",
		"{\"name\":\"\xff\"}":            notJSON + "/name is not valid JSON near byte 9",
		`{"name":"\ud800"}`:              notJSON + "/name is not valid JSON near byte 9",
		`{"name":"Tom","name":"Tim"}`:    notJSON + "/name is given twice",
		`{"name":"Tom","n\u0061me":"x"}`: notJSON + "/name is given twice",
		`{"notes":{"a/b":1,"a/b":2}}`:    notJSON + "/notes/a~1b is given twice",
		`[[[["Tom"]]]]`:                  notJSON + "/0/0/0 is too deep",
		`{"notes":{"a":{"b":{}}}}`:       notJSON + "/notes/a/b is too deep",
		`{"name":"Tom","notes":{"a":[0,0,0,0,0,0]}}`:              "",
		`{"name":"Tom","notes":{"a":[0,0,0,0,0,0,0]}}`:            notJSON + "/notes/a/6 is too many",
		`{"name":"Tom","tags":["a","b","c",0,0,0,0,0,0,0,0,0,0]}`: schemaBroken + "/tags must have at most 2 entries",
		`{"name":"Tom","x":[[0,0,0,0,0,0,0,0,0,0]]}`:              schemaBroken + "/x is not a property of this object",
		`{"name":"Tom","x":[[0,0,0,0,0,0,0,0,01]]}`:               notJSON + "/x/0 is not valid JSON near byte 37",
		`{"name":"Tom","x":[[[0]]]}`:                              notJSON + "/x/0/0 is too deep",
		`{"name":"Tom","x":{"a":1,"a":1}}`:                        notJSON + "/x/a is given twice",
		`{"notes":{"a":{"b":1}}}`:                                 schemaBroken + "/name is required",

		`null`:                                schemaBroken + " must not be null",
		`[]`:                                  schemaBroken + " must be of type object",
		`"Tom"`:                               schemaBroken + " must be of type object",
		`{}`:                                  schemaBroken + " must have at least 1 property; /name is required",
		`{"name":"Tom","nam":"x"}`:            schemaBroken + "/nam is not a property of this object",
		`{"name":"Tom","~a/b":1,"Name":1}`:    schemaBroken + "/Name is not a property of this object; /~0a~1b is not a property of this object",
		`{"name":null}`:                       schemaBroken + "/name must not be null",
		`{"name":1}`:                          schemaBroken + "/name must be of type string",
		`{"name":"T"}`:                        schemaBroken + "/name must have at least 2 characters",
		`{"name":"Thomas"}`:                   schemaBroken + "/name must have at most 5 characters",
		`{"name":"T o m a s"}`:                schemaBroken + `/name must match ^\S*$`,
		`{"name":"Tom","kind":"cow"}`:         schemaBroken + "/kind " + notAllowed,
		`{"name":"Tom","age":-1}`:             schemaBroken + "/age must be at least 0",
		`{"name":"Tom","age":31}`:             schemaBroken + "/age must be at most 30",
		`{"name":"Tom","age":1.5}`:            schemaBroken + "/age must be of type integer",
		`{"name":"Tom","age":"1"}`:            schemaBroken + "/age must be of type integer",
		`{"name":"Tom","age":3.0}`:            schemaBroken + "/age must be of type integer",
		`{"name":"Tom","age":3e0}`:            schemaBroken + "/age must be of type integer",
		`{"name":"Tom","age":0E400}`:          schemaBroken + "/age must be of type integer",
		`{"name":"Tom","age":-0}`:             "",
		`{"name":"Tom","age":3000000000}`:     schemaBroken + "/age integer doesn't match the format \"int32\" (value should be between -2147483648 and 2147483647); /age must be at most 30",
		`{"name":"Tom","weight":0.4}`:         schemaBroken + "/weight must be at least 0.5",
		`{"name":"Tom","tame":"yes"}`:         schemaBroken + "/tame must be of type boolean",
		`{"name":"Tom","chip":"1"}`:           schemaBroken + "/chip must be a UUID",
		`{"name":"Tom","born":"yesterday"}`:   schemaBroken + "/born must be a time as in RFC 3339",
		`{"name":"Tom","tags":["a","long"]}`:  schemaBroken + "/tags/1 must have at most 3 characters",
		`{"name":"Tom","tags":["a","b","c"]}`: schemaBroken + "/tags must have at most 2 entries",
		`{"name":"Tom","tags":[1,2,3,4,5,6]}`: schemaBroken + "/tags must have at most 2 entries; /tags/0 must be of type string; /tags/1 must be of type string; /tags/2 must be of type string",
		`{"name":"Tom","tags":[]}`:            schemaBroken + "/tags must have at least 1 entry",
		`{"name":"Tom","tags":["a","a"]}`:     schemaBroken + "/tags must not have an entry twice",
		`{"name":"Tom","tags":"a"}`:           schemaBroken + "/tags must be of type array",
		`{"name":"Tom","tags":null}`:          schemaBroken + "/tags must not be null",
		`{"age":31,"kind":1}`:                 schemaBroken + "/age must be at most 30; /kind " + notAllowed + "; /name is required",
	} {
		r := httptest.NewRequest(http.MethodPost, "/pets", strings.NewReader(body))
		r.Header = http.Header{"Content-Type": {"application/json"}, "Owner": {"me"}}
		isProblem(t, body, op.Check(httptest.NewRecorder(), r, nil, nil), want)
	}
}

// TestUnknownMembers sends many members that may not be there: the first ones are named.
func TestUnknownMembers(t *testing.T) {
	t.Parallel()
	op := operationOf(t, http.MethodPost, "/pets")
	op.limits.Bytes = 64 << 10
	body, want := `{"name":"Tom","age":30`, strings.TrimSuffix(schemaBroken, "; ")
	for i := range 1000 {
		name := fmt.Sprintf("m%03d", i)
		if body += `,"` + name + `":1`; i < maxUnknown {
			want += "; /" + name + " is not a property of this object"
		}
	}
	r := httptest.NewRequest(http.MethodPost, "/pets", strings.NewReader(body+"}"))
	r.Header = http.Header{"Content-Type": {"application/json"}, "Owner": {"me"}}
	isProblem(t, "unknown members", op.Check(httptest.NewRecorder(), r, nil, nil), want)
}

// brokenBody is a body that ends with an error.
type brokenBody struct{ io.Reader }

func (brokenBody) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// TestBodySize sends bodies without a Content-Length, with one that is too large, and a truncated body.
func TestBodySize(t *testing.T) {
	t.Parallel()
	fits, large := `{"name":"Tom"}`+strings.Repeat(" ", 186), `{"name":"Tom"}`+strings.Repeat(" ", 187)
	const tooLarge = "Content Too Large: The request body is larger than 200 bytes."
	for name, test := range map[string]struct {
		body   io.Reader
		length int64
		want   string
	}{
		"fits":                {strings.NewReader(fits), 200, ""},
		"fits, in chunks":     {strings.NewReader(fits), -1, ""},
		"large, in chunks":    {strings.NewReader(large), -1, tooLarge},
		"large, not yet sent": {brokenBody{}, 201, tooLarge},
		"breaks off":          {brokenBody{}, 14, "Bad Request: The request body could not be read to its end."},
	} {
		r := httptest.NewRequest(http.MethodPost, "/pets", test.body)
		r.ContentLength = test.length
		r.Header = http.Header{"Content-Type": {"application/json"}, "Owner": {"me"}}
		isProblem(t, name, operationOf(t, http.MethodPost, "/pets").Check(httptest.NewRecorder(), r, nil, nil), test.want)
	}
}

// TestDecodeBounded decodes more entries and members than a schema allows, at different depths: of those the value has as many as show
// that, and those that came first.
func TestDecodeBounded(t *testing.T) {
	t.Parallel()
	names := openapi3.NewArraySchema().WithItems(openapi3.NewStringSchema()).WithMaxItems(2)
	cat := openapi3.NewObjectSchema().WithProperty("names", names).WithoutAdditionalProperties()
	schema := openapi3.NewObjectSchema().WithProperty("cats", openapi3.NewArraySchema().WithItems(cat).WithMaxItems(1)).
		WithProperty("notes", openapi3.NewObjectSchema().WithAnyAdditionalProperties())
	var unknown, notes strings.Builder
	kept, all := map[string]any{"names": []any{"a", "b", "c"}}, map[string]any{}
	for i := range 2 * maxUnknown {
		fmt.Fprintf(&unknown, `"%d":[[0]],`, i)
		fmt.Fprintf(&notes, `"%d":[1,2,3],`, i)
		all[fmt.Sprint(i)] = []any{json.Number("1"), json.Number("2"), json.Number("3")}
		if i < maxUnknown {
			kept[fmt.Sprint(i)] = nil
		}
	}
	entry := "{" + unknown.String() + `"names":["a","b","c","d","e"]}`
	value, err := decodeJSON([]byte(`{"cats":[`+entry+","+entry+","+entry+`],"notes":{`+strings.TrimSuffix(notes.String(), ",")+`}}`), schema, Limits{Levels: 10, Values: 13 + 8*maxUnknown})
	if want := map[string]any{"cats": []any{kept, kept}, "notes": all}; err != nil || !reflect.DeepEqual(value, want) {
		t.Errorf("decoded %v, %v, want %v", value, err, want)
	}
}

// TestEncodingIsAnswered checks that the refusal of a compressed body has Accept-Encoding (RFC 9110, 15.5.16).
func TestEncodingIsAnswered(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodPost, "/pets", nil)
	r.Header = http.Header{"Content-Type": {"application/json"}, "Owner": {"me"}, "Content-Encoding": {"br"}}
	err := operationOf(t, http.MethodPost, "/pets").Check(httptest.NewRecorder(), r, nil, nil)
	if p, ok := errors.AsType[*problem.Error](err); !ok || p.Header.Get("Accept-Encoding") != "identity" {
		t.Errorf("%v", err)
	}
}
