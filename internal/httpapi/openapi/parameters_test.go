package openapi

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
)

// TestQuery checks the parameters of a query.
func TestQuery(t *testing.T) {
	t.Parallel()
	const noInteger = "limit must be an integer as in JSON, without + and leading zeros"
	const lostPlus = "; write + as %2B in a URL, where it means a space"
	op := operationOf(t, http.MethodGet, "/pets")
	for query, want := range map[string]string{
		"":                                 "",
		"limit=10&kind=cat&name=Tom":       "",
		"limit=":                           parameterBad + "limit must not be empty",
		"limit":                            parameterBad + "limit must not be empty",
		"limit=x":                          parameterBad + noInteger,
		"limit=1.5":                        parameterBad + noInteger,
		"limit=1e1":                        parameterBad + noInteger,
		"limit=99999999999999999999":       parameterBad + "limit must be of type integer",
		"limit=%2B5":                       parameterBad + noInteger,
		"limit=007":                        parameterBad + noInteger,
		"limit=00":                         parameterBad + noInteger,
		"limit=-01":                        parameterBad + noInteger,
		"limit=5_0":                        parameterBad + noInteger,
		"limit=%D9%A5":                     parameterBad + noInteger, // an Arabic digit
		"limit=5%0A":                       parameterBad + noInteger,
		"limit=-0":                         schemaBroken + "limit must be at least 1",
		"limit=-1":                         schemaBroken + "limit must be at least 1",
		"limit=0":                          schemaBroken + "limit must be at least 1",
		"limit=11":                         schemaBroken + "limit must be at most 10",
		"limit=1&limit=1":                  parameterBad + "limit is given more than once",
		"Limit=1":                          parameterBad + "Limit is not a parameter of this operation",
		"b=1&a=1&limit=0":                  parameterBad + "a is not a parameter of this operation; b is not a parameter of this operation; limit must be at least 1",
		"tame=true":                        "",
		"tame=false":                       "",
		"tame=1":                           parameterBad + "tame must be true or false",
		"tame=TRUE":                        parameterBad + "tame must be true or false",
		"tame=f":                           parameterBad + "tame must be true or false",
		"tame=":                            parameterBad + "tame must be true or false",
		"kind=cow":                         schemaBroken + "kind " + notAllowed,
		"name=":                            schemaBroken + "name must have at least 1 character",
		"name=Thomas":                      schemaBroken + "name must have at most 5 characters",
		"words=":                           parameterBad + "words must have at least 1 character",
		"words=Thomas":                     parameterBad + "words must have at most 5 characters",
		"name=%ff":                         parameterBad + "name is not UTF-8",
		"name=%zz":                         "Bad Request: The query string cannot be parsed: write ; as %3B, and % as %25.",
		"name=a;limit=1":                   "Bad Request: The query string cannot be parsed: write ; as %3B, and % as %25.",
		"born=2026-02-28t23:59:59z":        "",
		"born=2026-02-28T00:00:00,5Z":      parameterBad + "born must be a time as in RFC 3339",
		"born=2026-02-28T00:00:00%2B24:00": parameterBad + "born must be a time as in RFC 3339",
		"born=2026-02-31T00:00:00Z":        parameterBad + "born must be a time as in RFC 3339",
		"born=2026-02-28T00:00:00+01:00":   parameterBad + "born must be a time as in RFC 3339" + lostPlus,
		"born=2026-02-31T00:00:00+01:00":   parameterBad + "born must be a time as in RFC 3339",
		"owner=+14155550100":               schemaBroken + "owner must be an owner" + lostPlus,
		"owner=me+you":                     schemaBroken + "owner must be an owner" + lostPlus,
		"owner=%2B14155550100":             "",
		"owner=+A":                         schemaBroken + "owner must be an owner",
		"limit=+1":                         parameterBad + noInteger,
		"last=":                            "",
		"last":                             "",
		"last=1":                           parameterBad + "last must be a UUID",
	} {
		r := httptest.NewRequest(http.MethodGet, "/pets?"+query, nil)
		isProblem(t, query, op.Check(httptest.NewRecorder(), r, nil, nil), want)
	}
}

// TestManyUnknown sends more unknown parameters than are reported: those are the first by their names.
func TestManyUnknown(t *testing.T) {
	t.Parallel()
	var query, want strings.Builder
	for i := range 2 * maxUnknown {
		fmt.Fprintf(&query, "&p%d", 999-i)
		if i < maxUnknown {
			fmt.Fprintf(&want, "p%d is not a parameter of this operation; ", 1000-2*maxUnknown+i)
		}
	}
	r := httptest.NewRequest(http.MethodGet, "/pets?limit=0"+query.String(), nil)
	err := operationOf(t, http.MethodGet, "/pets").Check(httptest.NewRecorder(), r, nil, nil)
	isProblem(t, "many", err, parameterBad+want.String()+"limit must be at least 1")
}

// TestPath checks the parameters of a path, as the router finds them.
func TestPath(t *testing.T) {
	t.Parallel()
	const id = "01a20846-ff6e-7a53-9c1e-3c8a1e7d9b42"
	op := operationOf(t, http.MethodGet, "/pets/{chip}")
	for _, test := range []struct{ path, value, want string }{
		{"/pets/" + id, id, ""},
		{"/pets/%30" + id[1:], "%30" + id[1:], ""}, // the URL has a RawPath
		{"/pets/", "", parameterBad + "chip is required"},
		{"/pets/x", "x", parameterBad + "chip must be a UUID"},
		{"/pets/%2f", "%2f", parameterBad + "chip must be a UUID"},
		{"/pets/%2f", "%zz", "Bad Request: The path is not valid percent-encoding."},
		{"/pets/x/y", "x/y", "Not Found: There is nothing at this path."},
	} {
		r := httptest.NewRequest(http.MethodGet, test.path, nil)
		isProblem(t, test.path, op.Check(httptest.NewRecorder(), r, []string{"chip"}, []string{test.value}), test.want)
	}
}

// TestNormalized checks the request that the generated handler gets.
func TestNormalized(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"limit=1&name=%C3%A9":                   "limit=1&name=%C3%A9", // not re-encoded
		"name=a&born=2026-02-28T23:59:59Z":      "name=a&born=2026-02-28T23:59:59Z",
		"name=a&limit=1":                        "name=a&limit=1",
		"name=a&last=&limit=1":                  "limit=1&name=a",
		"born=2026-02-28t23:59:59.5z&name=t%26": "born=2026-02-28T23%3A59%3A59.5Z&name=t%26",
	} {
		r := httptest.NewRequest(http.MethodGet, "/pets?"+query, nil)
		if err := operationOf(t, http.MethodGet, "/pets").Check(httptest.NewRecorder(), r, nil, nil); err != nil || r.URL.RawQuery != want {
			t.Errorf("%s: %v, became %s, want %s", query, err, r.URL.RawQuery, want)
		}
	}
	r := httptest.NewRequest(http.MethodPost, "/pets", strings.NewReader(`{"name":"Tom","age":12345678901234567890e-18}`))
	r.Header = http.Header{"Content-Type": {"application/json"}, "Owner": {"me"}, "Last": {""}}
	if err := operationOf(t, http.MethodPost, "/pets").Check(httptest.NewRecorder(), r, nil, nil); err == nil {
		t.Error("12.345678901234567890 passes for an integer")
	}
	if _, has := r.Header["Last"]; has {
		t.Error("an empty header that counts as absent is there")
	}
	r.Body = io.NopCloser(strings.NewReader(`{"name":"Tom","weight":12.50}`))
	if err := operationOf(t, http.MethodPost, "/pets").Check(httptest.NewRecorder(), r, nil, nil); err != nil {
		t.Fatal(err)
	}
	decoded := r.Body.(interface{ ValidatedValue() any }).ValidatedValue()
	if want := map[string]any{"name": "Tom", "weight": json.Number("12.50")}; !reflect.DeepEqual(decoded, want) {
		t.Errorf("decoded %#v, want %#v", decoded, want)
	}
	if text, err := io.ReadAll(r.Body); err != nil || string(text) != `{"name":"Tom","weight":12.50}` {
		t.Errorf("the body is %q, %v", text, err)
	}
}
