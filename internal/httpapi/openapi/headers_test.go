package openapi

import (
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestHeaders checks Content-Type, Content-Encoding and header parameters.
func TestHeaders(t *testing.T) {
	t.Parallel()
	op := operationOf(t, http.MethodPost, "/pets")
	for name, test := range map[string]struct {
		header http.Header
		want   string
	}{
		"nothing special":       {nil, ""},
		"charset":               {http.Header{"Content-Type": {`application/json; charset="UTF-8"`}}, ""},
		"type in capitals":      {http.Header{"Content-Type": {"Application/JSON"}}, ""},
		"another charset":       {http.Header{"Content-Type": {"application/json; charset=utf-16"}}, wrongType},
		"no type":               {http.Header{"Content-Type": nil}, wrongType},
		"another type":          {http.Header{"Content-Type": {"text/plain"}}, wrongType},
		"a type like it":        {http.Header{"Content-Type": {"application/merge-patch+json"}}, wrongType},
		"two types":             {http.Header{"Content-Type": {"application/json", "application/json"}}, wrongType},
		"a broken type":         {http.Header{"Content-Type": {"application/json; charset"}}, wrongType},
		"identity":              {http.Header{"Content-Encoding": {"Identity"}}, ""},
		"gzip":                  {http.Header{"Content-Encoding": {"gzip"}}, compressed},
		"two encodings":         {http.Header{"Content-Encoding": {"identity", "gzip"}}, compressed},
		"required, missing":     {http.Header{"Owner": nil}, parameterBad + "Owner is required"},
		"required, empty":       {http.Header{"Owner": {""}}, schemaBroken + "Owner must have at least 2 characters"},
		"given twice":           {http.Header{"Owner": {"me", "me"}}, parameterBad + "Owner is given more than once"},
		"too long":              {http.Header{"Trace": {"abcd"}}, schemaBroken + "Trace must have at most 3 characters"},
		"breaks its rule":       {http.Header{"Trace": {"ABCD"}}, schemaBroken + "Trace must be small letters"},
		"no UUID":               {http.Header{"Last": {"1"}}, parameterBad + "Last must be a UUID"},
		"empty, counts as none": {http.Header{"Last": {""}}, ""},
		"empty twice":           {http.Header{"Last": {"", ""}}, parameterBad + "Last is given more than once"},
		"several":               {http.Header{"Last": {"1"}, "Trace": {"A"}}, parameterBad + "Trace must be small letters; Last must be a UUID"},
		"takes JSON":            {http.Header{"Accept": {"text/html, application/json;q=0.1"}}, ""},
		"takes anything":        {http.Header{"Accept": {"text/html", "*/*;q=0.1"}}, ""},
		"takes nothing of it":   {http.Header{"Accept": {"text/html"}}, "Not Acceptable: This operation answers with: application/json.; Accept leaves out application/json"},
		"takes all but JSON":    {http.Header{"Accept": {"*/*, application/json;q=0"}}, "Not Acceptable: This operation answers with: application/json.; Accept leaves out application/json"},
	} {
		r := httptest.NewRequest(http.MethodPost, "/pets", strings.NewReader(`{"name":"Tom"}`))
		r.Header = http.Header{"Content-Type": {"application/json"}, "Owner": {"me"}}
		maps.Copy(r.Header, test.header)
		isProblem(t, name, op.Check(httptest.NewRecorder(), r, nil, nil), test.want)
	}
}

// TestPrefers compares the qualities that Accept headers give two media types.
func TestPrefers(t *testing.T) {
	t.Parallel()
	for accept, want := range map[string]bool{
		"text/event-stream":            true,
		"text/event-stream, */*;q=0.1": true,
		"text/*":                       true,
		"application/json;q=0.5, text/event-stream":  true,
		"application/json;q=0.5, TEXT/event-stream ": true,
		"": false, "*/*": false, "application/json": false, "text/event-stream;q=0.5, application/json": false,
		"text/event-stream, application/json": false, "text/event-stream;q=0": false, ";;, ,": false,
	} {
		if got := Prefers(http.Header{"Accept": {accept}}, "text/event-stream", "application/json"); got != want {
			t.Errorf("%q: %t, want %t", accept, got, want)
		}
	}
	if !Prefers(http.Header{"Accept": {"text/html", "text/event-stream"}}, "text/event-stream", "application/json") {
		t.Error("only the first of two headers counts")
	}
}
