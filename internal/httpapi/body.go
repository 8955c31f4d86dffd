package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/messaging"
)

// maxDepth bounds the levels of objects and arrays in a request body: those of
// the metadata, and the body around it.
const maxDepth = messaging.MetadataMaxDepth + 1

var errTooDeep = fmt.Errorf("is nested too deeply: metadata may have %d levels", messaging.MetadataMaxDepth)

// decodeJSON decodes a JSON text (RFC 8259) into the values that kin-openapi
// validates: nil, bool, string, json.Number, []any and map[string]any. It refuses
// what decoders disagree about: duplicate member names, invalid UTF-8, lone
// surrogates, trailing data; and a nesting deeper than maxDepth.
func decodeJSON(text []byte) (any, error) {
	decoder := jsontext.NewDecoder(bytes.NewBuffer(text))
	value, err := decodeValue(decoder)
	if err != nil {
		return nil, malformedJSON(decoder, err)
	}
	if _, err := decoder.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, &problem{badRequest, invalidJSON, at("", fmt.Sprintf("is followed by more data at byte %d", decoder.InputOffset()))}
	}
	return value, nil
}

func decodeValue(decoder *jsontext.Decoder) (any, error) {
	token, err := decoder.ReadToken()
	if err != nil {
		return nil, err
	}
	switch token.Kind() {
	case 'n':
		return nil, nil //nolint:nilnil // null is a value
	case 't', 'f':
		return token.Bool(), nil
	case '"':
		return token.String(), nil
	case '0':
		return json.Number(token.String()), nil
	}
	if decoder.StackDepth() > maxDepth {
		return nil, errTooDeep
	}
	if token.Kind() == '[' {
		return decodeArray(decoder)
	}
	return decodeObject(decoder)
}

func decodeArray(decoder *jsontext.Decoder) (any, error) {
	array := []any{}
	for decoder.PeekKind() != ']' {
		value, err := decodeValue(decoder)
		if err != nil {
			return nil, err
		}
		array = append(array, value)
	}
	_, err := decoder.ReadToken()
	return array, err
}

func decodeObject(decoder *jsontext.Decoder) (any, error) {
	object := map[string]any{}
	for decoder.PeekKind() != '}' {
		name, err := decoder.ReadToken()
		if err != nil {
			return nil, err
		}
		key := name.String() // the token is valid until the next read
		if object[key], err = decodeValue(decoder); err != nil {
			return nil, err
		}
	}
	_, err := decoder.ReadToken()
	return object, err
}

const invalidJSON = "The request body is not JSON that can be used; see errors."

// malformedJSON says where the text is wrong, and repeats nothing of it but the
// names on the way there.
func malformedJSON(decoder *jsontext.Decoder, err error) *problem {
	pointer, detail := string(decoder.StackPointer()), fmt.Sprintf("is not valid JSON near byte %d", decoder.InputOffset())
	if syntactic, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		pointer, detail = string(syntactic.JSONPointer), fmt.Sprintf("is not valid JSON near byte %d", syntactic.ByteOffset)
	}
	switch {
	case errors.Is(err, errTooDeep):
		detail = err.Error()
	case errors.Is(err, jsontext.ErrDuplicateName):
		detail = "is given twice"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		detail = "ends too early"
	}
	return &problem{badRequest, invalidJSON, at(pointer, detail)}
}

func at(pointer, detail string) []server.FieldError {
	return []server.FieldError{pointerError(pointer, detail)}
}

// compactJSON writes JSON text without white space and needless escapes; nothing
// remains nothing.
func compactJSON(text json.RawMessage) (string, error) {
	if len(text) == 0 {
		return "", nil
	}
	compact, err := jsontext.AppendFormat(nil, text)
	return string(compact), err
}

// validatedBody is a request body that was decoded and validated. The generated
// handler binds the value; the text is there for a type the binder does not know.
type validatedBody struct {
	io.Reader

	value any
}

// ValidatedValue returns the decoded value; see runtime.BindJSONBody.
func (b validatedBody) ValidatedValue() any { return b.value }

// Close does nothing: the body was read to its end.
func (b validatedBody) Close() error { return nil }
