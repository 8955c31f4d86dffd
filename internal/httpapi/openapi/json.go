package openapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/message-service/message-service/internal/httpapi/problem"
)

// decodeJSON decodes a JSON text (RFC 8259) into the values that kin-openapi
// validates: nil, bool, string, json.Number, []any and map[string]any. It refuses
// what decoders treat differently: duplicate member names, invalid UTF-8, lone
// surrogates, trailing data; and deeper nesting than the limit.
func decodeJSON(text []byte, limits Limits) (any, error) {
	decoder := jsonDecoder{jsontext.NewDecoder(bytes.NewBuffer(text)), limits}
	value, err := decoder.value()
	if err != nil {
		return nil, decoder.malformed(err)
	}
	if _, err := decoder.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, &problem.Error{Kind: problem.BadRequest, Detail: invalidJSON, Fields: at("", fmt.Sprintf("is followed by more data at byte %d", decoder.InputOffset()))}
	}
	return value, nil
}

var errTooDeep = errors.New("too many levels")

type jsonDecoder struct {
	*jsontext.Decoder

	limits Limits
}

func (d jsonDecoder) value() (any, error) {
	token, err := d.ReadToken()
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
	if d.StackDepth() > d.limits.Levels {
		return nil, errTooDeep
	}
	if token.Kind() == '[' {
		return d.array()
	}
	return d.object()
}

func (d jsonDecoder) array() (any, error) {
	array := []any{}
	for d.PeekKind() != ']' {
		value, err := d.value()
		if err != nil {
			return nil, err
		}
		array = append(array, value)
	}
	_, err := d.ReadToken()
	return array, err
}

func (d jsonDecoder) object() (any, error) {
	object := map[string]any{}
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		key := name.String() // the token is valid until the next read
		if object[key], err = d.value(); err != nil {
			return nil, err
		}
	}
	_, err := d.ReadToken()
	return object, err
}

const invalidJSON = "The request body is not JSON that can be used; see errors."

// malformed returns a problem that says where the text is invalid. It quotes nothing of the text but
// the member names in the JSON Pointer.
func (d jsonDecoder) malformed(err error) *problem.Error {
	pointer, detail := string(d.StackPointer()), fmt.Sprintf("is not valid JSON near byte %d", d.InputOffset())
	if syntactic, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		pointer, detail = string(syntactic.JSONPointer), fmt.Sprintf("is not valid JSON near byte %d", syntactic.ByteOffset)
	}
	switch {
	case errors.Is(err, errTooDeep):
		detail = d.limits.TooDeep
	case errors.Is(err, jsontext.ErrDuplicateName):
		detail = "is given twice"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		detail = "ends too early"
	}
	return &problem.Error{Kind: problem.BadRequest, Detail: invalidJSON, Fields: at(pointer, detail)}
}

func at(pointer, detail string) []problem.Field {
	return []problem.Field{problem.Pointer(pointer, detail)}
}
