// Package problem writes problem documents (RFC 9457), the body of every error response. The validator
// and the handlers return an [Error], and the error handler of package httpapi writes it.
package problem

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/message-service/message-service/gen/server"
)

// Field is one thing that is wrong with a request, and where.
type Field = server.FieldError

// Error is an error and the problem document that answers it.
type Error struct {
	Kind   Kind
	Detail string      // what went wrong with this request, for the client's developer
	Fields []Field     // the members and parameters at fault; may be empty
	Header http.Header // further headers of the response; may be nil
}

// Error returns the title, the detail and the fields, for the log.
func (e *Error) Error() string {
	text := fmt.Appendf(nil, "%s: %s", e.Kind.Title, e.Detail)
	for _, field := range e.Fields {
		text = append(text, "; "...)
		for _, place := range []*string{field.Pointer, field.Parameter} {
			if place != nil {
				text = append(text, *place...)
			}
		}
		text = append(append(text, ' '), field.Detail...)
	}
	return string(text)
}

// NoSuchPath is the answer to a path that the server does not have.
var NoSuchPath = &Error{Kind: NotFound, Detail: "There is nothing at this path."}

// Parameter is what is wrong with a parameter of the path, the query or the header.
func Parameter(name, detail string) Field {
	return Field{Parameter: &name, Detail: detail}
}

// Pointer is what is wrong at a place in the request body, a JSON Pointer (RFC 6901).
func Pointer(pointer, detail string) Field {
	return Field{Pointer: &pointer, Detail: detail}
}

// Writer writes problem documents and keeps the contract's limits on errors, pointers and parameter
// names: these come from the request, so they may be of any number and length.
type Writer struct{ errors, pointer, parameter int }

// NewWriter makes a writer with the limits of a contract.
func NewWriter(document *openapi3.T) Writer {
	schemas := document.Components.Schemas
	field := schemas["FieldError"].Value.Properties
	return Writer{
		errors:    int(*schemas["Problem"].Value.Properties["errors"].Value.MaxItems),
		pointer:   int(*field["pointer"].Value.MaxLength),
		parameter: int(*field["parameter"].Value.MaxLength),
	}
}

// Write answers a request with a problem document.
func (w Writer) Write(to http.ResponseWriter, e *Error, requestID string) error {
	header := to.Header()
	maps.Copy(header, e.Header)
	header.Del("Content-Encoding")          // set for the response that failed
	header.Set("Cache-Control", "no-store") // caches may keep a 404 otherwise (RFC 9110, 15.1)
	header.Set("Content-Type", "application/problem+json")
	if seconds, ok := retryAfter[e.Kind]; ok && e.Header.Get("Retry-After") == "" {
		header.Set("Retry-After", seconds)
	}
	to.WriteHeader(e.Kind.Status)
	return json.NewEncoder(to).Encode(server.Problem{
		Type:     e.Kind.Type(),
		Title:    e.Kind.Title,
		Status:   int32(e.Kind.Status),
		Detail:   e.Detail,
		Instance: "urn:request:" + requestID,
		Errors:   w.bound(e.Fields),
	})
}

func (w Writer) bound(fields []Field) []Field {
	bounded := make([]Field, min(len(fields), w.errors))
	for i := range bounded {
		bounded[i] = Field{
			Pointer:   truncate(fields[i].Pointer, w.pointer),
			Parameter: truncate(fields[i].Parameter, w.parameter),
			Detail:    fields[i].Detail,
		}
	}
	return bounded
}

// truncate shortens a text to at most n code points.
func truncate(s *string, n int) *string {
	if s == nil || utf8.RuneCountInString(*s) <= n {
		return s
	}
	return new(string([]rune(*s)[:n-1]) + "…")
}
