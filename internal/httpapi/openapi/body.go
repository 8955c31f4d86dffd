package openapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"

	"github.com/message-service/message-service/internal/httpapi/problem"
)

func (op *Operation) checkBody(w http.ResponseWriter, r *http.Request) error {
	if err := checkContentType(r.Header); err != nil {
		return err
	}
	text, err := readBody(w, r, op.limits.Bytes)
	if err != nil {
		return err
	}
	value, err := decodeJSON(text, op.body, op.limits)
	if err != nil {
		return err
	}
	if err := op.body.VisitJSON(value, bodyRules...); err != nil {
		return bodyViolations(err).problem()
	}
	r.Body = validatedBody{bytes.NewReader(text), value}
	return nil
}

func readBody(w http.ResponseWriter, r *http.Request, limit int64) (text []byte, err error) {
	err = &http.MaxBytesError{Limit: limit}
	if r.ContentLength <= limit { // a client that expects 100 Continue need not send a larger one
		text, err = io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return nil, &problem.Error{Kind: problem.ContentTooLarge, Detail: fmt.Sprintf("The request body is larger than %d bytes.", limit)}
	}
	if err != nil {
		return nil, &problem.Error{Kind: problem.BadRequest, Detail: "The request body could not be read to its end."}
	}
	return text, nil
}

// bodyViolations converts a validation error of kin-openapi to the fields at fault.
func bodyViolations(err error) *violations {
	found := &violations{}
	for _, failure := range schemaErrors(err) {
		pointer := pointerOf(failure)
		if failure.SchemaField != "properties" {
			found.add(false, problem.Pointer(pointer, explainSchema(failure)))
			continue
		}
		for _, name := range unknownMembers(failure.Schema, failure.Value) {
			found.add(false, problem.Pointer(pointer+"/"+escapePointer(name), "is not a property of this object"))
		}
	}
	return found
}

func checkContentType(header http.Header) error {
	if encoding := strings.Join(header.Values("Content-Encoding"), ","); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return &problem.Error{
			Kind:   problem.UnsupportedMediaType,
			Detail: "The request body must not be compressed.",
			Fields: []problem.Field{problem.Parameter("Content-Encoding", "must be absent")},
			Header: http.Header{"Accept-Encoding": {"identity"}}, // RFC 9110, 15.5.16
		}
	}
	mediaType, parameters, err := mime.ParseMediaType(header.Get("Content-Type"))
	charset, hasCharset := parameters["charset"]
	if err != nil || len(header.Values("Content-Type")) > 1 || mediaType != jsonType || hasCharset && !strings.EqualFold(charset, "utf-8") {
		return &problem.Error{
			Kind:   problem.UnsupportedMediaType,
			Detail: "The request body must be application/json.",
			Fields: []problem.Field{problem.Parameter("Content-Type", "must be application/json")},
		}
	}
	return nil
}

// validatedBody is a request body that was decoded and validated. The generated handler binds the
// decoded value, and reads the text only for types that the binder does not support.
type validatedBody struct {
	io.Reader

	value any
}

// ValidatedValue returns the decoded value; see runtime.BindJSONBody.
func (b validatedBody) ValidatedValue() any { return b.value }

// Items returns how many items an array in the body of a validated request has, a member of that name.
func Items(r *http.Request, member string) int {
	body, _ := r.Body.(validatedBody)
	object, _ := body.value.(map[string]any)
	items, _ := object[member].([]any)
	return len(items)
}

// Close does nothing: the body was read to its end.
func (b validatedBody) Close() error { return nil }
