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
	value, err := decodeJSON(text, op.limits)
	if err != nil {
		return err
	}
	op.shorten(value)
	if err := op.body.VisitJSON(value, bodyRules...); err != nil {
		return bodyViolations(err).problem()
	}
	r.Body = validatedBody{bytes.NewReader(text), value}
	return nil
}

// unknownMost is how many members are named that may not be there; a problem lists fewer.
const unknownMost = 100

// shorten leaves in a body as much as shows what is wrong with it: of each array one entry more than may be there, and of the
// members that may not be there the first ones. kin-openapi validates all of them, and makes an error of each that is invalid.
func (op *Operation) shorten(body any) {
	object, _ := body.(map[string]any)
	for name, value := range object {
		array, isArray := value.([]any)
		if member := op.body.Properties[name]; isArray && member != nil && member.Value.MaxItems != nil {
			object[name] = array[:min(len(array), int(*member.Value.MaxItems)+1)]
		}
	}
	others := op.body.AdditionalProperties.Has
	if others != nil && !*others && len(object) > len(op.body.Properties)+unknownMost {
		for _, name := range unknownMembers(op.body, object)[unknownMost:] {
			delete(object, name)
		}
	}
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
