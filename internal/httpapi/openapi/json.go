package openapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/message-service/message-service/internal/httpapi/problem"
)

// decodeJSON decodes a JSON text (RFC 8259) into the values that kin-openapi
// validates: nil, bool, string, json.Number, []any and map[string]any. It refuses
// what decoders treat differently: duplicate member names, invalid UTF-8, lone
// surrogates, trailing data; deeper nesting and more values than the limits.
//
// kin-openapi validates each entry and each member, and makes an error of each that is invalid. So of what the schema does
// not allow, only as much is returned as shows that; the rest is skipped, and does not count.
func decodeJSON(text []byte, schema *openapi3.Schema, limits Limits) (any, error) {
	decoder := &jsonDecoder{Decoder: jsontext.NewDecoder(bytes.NewBuffer(text)), limits: limits}
	value, err := decoder.value(schema)
	if err != nil {
		return nil, decoder.malformed(err)
	}
	if _, err := decoder.ReadToken(); !errors.Is(err, io.EOF) {
		return nil, &problem.Error{Kind: problem.BadRequest, Detail: invalidJSON, Fields: at("", fmt.Sprintf("is followed by more data at byte %d", decoder.InputOffset()))}
	}
	return value, nil
}

var (
	errTooDeep = errors.New("too many levels")
	errTooMany = errors.New("too many values")
)

type jsonDecoder struct {
	*jsontext.Decoder

	limits Limits
	values int // that were decoded
}

// value decodes a value of a schema, which is nil if there is none.
func (d *jsonDecoder) value(schema *openapi3.Schema) (any, error) {
	token, err := d.ReadToken()
	if err != nil {
		return nil, err
	}
	if d.values++; d.values > d.limits.Values {
		return nil, errTooMany
	}
	switch token.Kind() {
	case 'n':
		return nil, nil //nolint:nilnil // null is a value
	case 't', 'f':
		return token.Bool(), nil
	case '"':
		return token.String(), nil
	case '0':
		number := json.Number(token.String())
		if schema != nil && schema.Type.Is(openapi3.TypeInteger) && strings.ContainsAny(number.String(), ".eE") {
			return number.String(), nil // as a string it is invalid: kin-openapi takes 1.0 for an integer, which OpenAPI 3.0 does not
		}
		return number, nil
	}
	if d.StackDepth() > d.limits.Levels {
		return nil, errTooDeep
	}
	if token.Kind() == '[' {
		return d.array(schema)
	}
	return d.object(schema)
}

// array decodes the rest of an array, and returns at most one entry more than may be there.
func (d *jsonDecoder) array(schema *openapi3.Schema) (any, error) {
	var entry *openapi3.Schema
	most := math.MaxInt
	if schema != nil && schema.Items != nil {
		entry = schema.Items.Value
	}
	if schema != nil && schema.MaxItems != nil {
		most = int(*schema.MaxItems) + 1
	}
	array := []any{}
	for d.PeekKind() != ']' {
		if len(array) == most {
			if err := d.skip(); err != nil {
				return nil, err
			}
			continue
		}
		value, err := d.value(entry)
		if err != nil {
			return nil, err
		}
		array = append(array, value)
	}
	_, err := d.ReadToken()
	return array, err
}

// skip passes by a value, with the limit of levels.
func (d *jsonDecoder) skip() error {
	for depth := d.StackDepth(); ; {
		if _, err := d.ReadToken(); err != nil {
			return err
		}
		switch now := d.StackDepth(); {
		case now == depth:
			return nil
		case now > d.limits.Levels:
			return errTooDeep
		}
	}
}

// object decodes the rest of an object, and returns the first maxUnknown of the members that may not be there, without their values.
func (d *jsonDecoder) object(schema *openapi3.Schema) (any, error) {
	object, unknown := map[string]any{}, 0
	for d.PeekKind() != '}' {
		name, err := d.ReadToken()
		if err != nil {
			return nil, err
		}
		key := name.String() // the token is valid until the next read
		if member, isKnown := memberOf(schema, key); isKnown {
			object[key], err = d.value(member)
		} else {
			if unknown++; unknown <= maxUnknown {
				object[key] = nil
			}
			err = d.skip()
		}
		if err != nil {
			return nil, err
		}
	}
	_, err := d.ReadToken()
	return object, err
}

// memberOf returns the schema of a member, nil if any value will do, and whether there may be such a member.
func memberOf(schema *openapi3.Schema, name string) (member *openapi3.Schema, isKnown bool) {
	if schema == nil {
		return nil, true
	}
	if property := schema.Properties[name]; property != nil {
		return property.Value, true
	}
	allowed := schema.AdditionalProperties.Has
	return nil, allowed == nil || *allowed
}

const invalidJSON = "The request body is not JSON that can be used; see errors."

// malformed returns a problem that says where the text is invalid. It quotes nothing of the text but
// the member names in the JSON Pointer.
func (d *jsonDecoder) malformed(err error) *problem.Error {
	pointer, detail := string(d.StackPointer()), fmt.Sprintf("is not valid JSON near byte %d", d.InputOffset())
	if syntactic, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		pointer, detail = string(syntactic.JSONPointer), fmt.Sprintf("is not valid JSON near byte %d", syntactic.ByteOffset)
	}
	switch {
	case errors.Is(err, errTooDeep):
		detail = d.limits.TooDeep
	case errors.Is(err, errTooMany):
		detail = d.limits.TooMany
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
