package openapi

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
)

var dateTime = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

// formats validates the string formats of the contract. By default kin-openapi validates no UUIDs, and
// accepts the 31st of February.
var formats = []openapi3.SchemaValidationOption{
	openapi3.EnableFormatValidation(),
	openapi3.WithStringFormatValidator("uuid", openapi3.NewRegexpFormatValidator(openapi3.FormatOfStringForUUIDOfRFC9562)),
	openapi3.WithStringFormatValidator("date-time", openapi3.NewCallbackValidator(func(s string) error {
		_, err := time.Parse(time.RFC3339, s) // validates the date, but is lenient about the syntax
		if err == nil && !dateTime.MatchString(s) {
			err = errors.New("not as in RFC 3339")
		}
		return err
	})),
}

var bodyRules = slices.Concat(formats, []openapi3.SchemaValidationOption{openapi3.VisitAsRequest(), openapi3.MultiErrors()})

// schemaErrors flattens an error of kin-openapi to one error for each violated rule. It leaves out the
// length of a value that violates its pattern or format, too.
func schemaErrors(err error) []*openapi3.SchemaError {
	failures := unfold(err)
	misshapen := map[string]bool{} // pointers to values that violate a pattern or format
	for _, failure := range failures {
		if failure.SchemaField == "pattern" || failure.SchemaField == "format" {
			misshapen[pointerOf(failure)] = true
		}
	}
	seen := map[string]bool{} // pointers to objects with unknown members: kin-openapi reports each member
	return slices.DeleteFunc(failures, func(failure *openapi3.SchemaError) bool {
		pointer := pointerOf(failure)
		switch failure.SchemaField {
		case "minLength", "maxLength":
			return misshapen[pointer]
		case "properties":
			defer func() { seen[pointer] = true }()
			return seen[pointer]
		}
		return false
	})
}

func unfold(err error) []*openapi3.SchemaError {
	switch e := err.(type) { //nolint:errorlint // it walks the chain itself
	case nil:
		return nil
	case *openapi3.SchemaError:
		return []*openapi3.SchemaError{e}
	case openapi3.MultiError:
		var list []*openapi3.SchemaError
		for _, member := range e {
			list = append(list, unfold(member)...)
		}
		return list
	default:
		return unfold(errors.Unwrap(err))
	}
}

// unknownMembers returns the names of the members of an object that its schema does not have, sorted.
func unknownMembers(schema *openapi3.Schema, value any) []string {
	object, _ := value.(map[string]any)
	return slices.DeleteFunc(slices.Sorted(maps.Keys(object)), func(name string) bool {
		return schema.Properties[name] != nil
	})
}

// pointerOf returns the JSON Pointer (RFC 6901) to the value that a schema error is about.
func pointerOf(e *openapi3.SchemaError) string {
	var pointer strings.Builder
	for _, name := range e.JSONPointer() {
		pointer.WriteString("/" + escapePointer(name))
	}
	return pointer.String()
}

func escapePointer(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}

func count(n uint64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// explainSchema words a schema error for the client, without the submitted value.
func explainSchema(e *openapi3.SchemaError) string {
	schema := e.Schema
	switch e.SchemaField {
	case "required":
		return "is required"
	case "nullable":
		return "must not be null"
	case "type":
		return "must be of type " + typeOf(schema)
	case "minLength":
		return "must have at least " + count(schema.MinLength, "character", "characters")
	case "maxLength":
		return "must have at most " + count(*schema.MaxLength, "character", "characters")
	case "minProperties":
		return "must have at least " + count(schema.MinProps, "property", "properties")
	case "minimum":
		return fmt.Sprintf("must be at least %v", *schema.Min)
	case "maximum":
		return fmt.Sprintf("must be at most %v", *schema.Max)
	case "enum":
		return fmt.Sprintf("must be one of %v", schema.Enum)
	case "minItems":
		return "must have at least " + count(schema.MinItems, "entry", "entries")
	case "maxItems":
		return "must have at most " + count(*schema.MaxItems, "entry", "entries")
	case "uniqueItems":
		return "must not have an entry twice"
	case "pattern":
		if rule, ok := schema.Extensions["x-rule"].(string); ok {
			return rule
		}
		return "must match " + schema.Pattern
	case "format":
		if rule, ok := formatRules[schema.Format]; ok {
			return rule
		}
	}
	return e.Reason
}

// formatRules are the error messages for the formats of the contract.
var formatRules = map[string]string{
	"uuid":      "must be a UUID",
	"date-time": "must be a time as in RFC 3339",
}

func typeOf(schema *openapi3.Schema) string { return strings.Join(schema.Type.Slice(), " or ") }
