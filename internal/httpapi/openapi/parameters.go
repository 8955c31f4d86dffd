package openapi

import (
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"

	"github.com/message-service/message-service/internal/httpapi/problem"
)

var parameterOptions = &openapi3filter.Options{MultiError: true, SkipSettingDefaults: true, SchemaValidationOptions: formats}

// integer is how OpenAPI 3.0 has integers: a JSON number without a fraction or an exponent.
var integer = regexp.MustCompile(`^-?(0|[1-9][0-9]*)$`)

func (op *Operation) checkParameters(r *http.Request, pathNames, pathValues []string) error {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return &problem.Error{Kind: problem.BadRequest, Detail: "The query string cannot be parsed: write ; as %3B, and % as %25."}
	}
	path, err := pathParameters(r, pathNames, pathValues)
	if err != nil {
		return err
	}
	found := &violations{}
	for _, name := range op.undeclared(query) {
		found.add(true, problem.Parameter(name, "is not a parameter of this operation"))
	}
	input := &openapi3filter.RequestValidationInput{Request: r, QueryParams: query, Route: op.route, PathParams: path, Options: parameterOptions}
	for _, ref := range op.parameters {
		normalizeParameter(ref.Value, r, query)
		malformed, fields := checkParameter(ref.Value, input)
		found.add(malformed, fields...)
	}
	return found.problem()
}

// undeclared returns the names in a query that are not parameters of the operation, sorted, and no more than maxUnknown.
func (op *Operation) undeclared(query url.Values) (names []string) {
	for name := range query {
		if op.parameters.GetByInAndName(openapi3.ParameterInQuery, name) == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names[:min(len(names), maxUnknown)]
}

// pathParameters percent-decodes the path parameters that the router found.
func pathParameters(r *http.Request, names, values []string) (map[string]string, error) {
	var parameters map[string]string // nil if there are none
	if len(names) > 0 {
		parameters = make(map[string]string, len(names))
	}
	for i, name := range names {
		value := values[i]
		if strings.Contains(value, "/") { // Echo lets the last parameter of a route take the rest of the path
			return nil, problem.NoSuchPath
		}
		if r.URL.RawPath != "" { // otherwise the router matched the decoded path
			var err error
			if value, err = url.PathUnescape(value); err != nil {
				return nil, &problem.Error{Kind: problem.BadRequest, Detail: "The path is not valid percent-encoding."}
			}
		}
		parameters[name] = value
	}
	return parameters, nil
}

// normalizeParameter removes an empty parameter that has x-empty-is-absent, and writes the T and Z of a
// time in upper case, as Go requires. It changes the request, so that the generated handler decodes
// what was validated.
func normalizeParameter(p *openapi3.Parameter, r *http.Request, query url.Values) {
	switch p.In {
	case openapi3.ParameterInHeader:
		if values := r.Header.Values(p.Name); isEmpty(values) && isAbsentIfEmpty(p) {
			r.Header.Del(p.Name)
		}
	case openapi3.ParameterInQuery:
		switch values := query[p.Name]; {
		case isEmpty(values) && isAbsentIfEmpty(p):
			query.Del(p.Name)
			r.URL.RawQuery = query.Encode()
		case len(values) == 1 && p.Schema.Value.Format == "date-time":
			if upper := strings.ToUpper(values[0]); upper != values[0] { // RFC 3339, 5.6
				values[0] = upper
				r.URL.RawQuery = query.Encode()
			}
		}
	}
}

func isEmpty(values []string) bool { return len(values) == 1 && values[0] == "" }

func isAbsentIfEmpty(p *openapi3.Parameter) bool { return p.Extensions[emptyIsAbsent] == true }

// checkParameter returns what is wrong with a parameter, and whether it cannot even be
// understood.
func checkParameter(p *openapi3.Parameter, input *openapi3filter.RequestValidationInput) (malformed bool, fields []problem.Field) {
	value, times := valueOf(p, input)
	switch {
	case times == 0 && !p.Required: // most are optional and absent
		return false, nil
	case times == 0:
		return true, []problem.Field{problem.Parameter(p.Name, "is required")}
	case times > 1:
		return true, []problem.Field{problem.Parameter(p.Name, "is given more than once")}
	case p.In == openapi3.ParameterInQuery && !utf8.ValidString(value):
		return true, []problem.Field{problem.Parameter(p.Name, "is not UTF-8")}
	case p.Schema.Value.Type.Is(openapi3.TypeBoolean) && value != "true" && value != "false": // kin-openapi takes 1, t and TRUE, too
		return true, []problem.Field{problem.Parameter(p.Name, "must be true or false")}
	case p.Schema.Value.Type.Is(openapi3.TypeInteger) && value != "" && !integer.MatchString(value): // kin-openapi takes +1 and 007, too
		return true, []problem.Field{problem.Parameter(p.Name, "must be an integer as in JSON, without + and leading zeros")}
	}
	if err := openapi3filter.ValidateParameter(input.Request.Context(), input, p); err != nil {
		malformed, fields = parameterViolation(p, err)
		if p.In == openapi3.ParameterInQuery && hasLostPlus(p, value) {
			fields[0].Detail += LostPlus
		}
		return malformed, fields
	}
	return false, nil
}

// LostPlus is added to what is wrong with a parameter whose plus signs have become spaces.
const LostPlus = "; write + as %2B in a URL, where it means a space"

// hasLostPlus reports whether an invalid value would be valid if its spaces were plus signs, as those of
// phone numbers and time zones are in a URL that is not encoded.
func hasLostPlus(p *openapi3.Parameter, value string) bool {
	return strings.Contains(value, " ") && p.Schema.Value.VisitJSON(strings.ReplaceAll(value, " ", "+"), formats...) == nil
}

// valueOf returns the first value of a parameter and how many there are. An empty path segment counts
// as none.
func valueOf(p *openapi3.Parameter, input *openapi3filter.RequestValidationInput) (value string, times int) {
	var values []string
	switch p.In {
	case openapi3.ParameterInPath:
		value = input.PathParams[p.Name]
		return value, min(len(value), 1)
	case openapi3.ParameterInHeader:
		values = input.Request.Header.Values(p.Name)
	case openapi3.ParameterInQuery:
		values = input.QueryParams[p.Name]
	}
	if len(values) > 0 {
		value = values[0]
	}
	return value, len(values)
}

// parameterViolation returns what is wrong with a parameter, and whether it is malformed, as an integer,
// a UUID or a time can be, and any that has x-invalid-is-malformed.
func parameterViolation(p *openapi3.Parameter, err error) (malformed bool, fields []problem.Field) {
	failures := schemaErrors(err)
	malformed = p.Extensions[invalidIsMalformed] == true
	for _, failure := range failures {
		malformed = malformed || failure.SchemaField == "format"
		fields = append(fields, problem.Parameter(p.Name, explainSchema(failure)))
	}
	switch {
	case len(failures) > 0:
		return malformed, fields
	case errors.Is(err, openapi3filter.ErrInvalidEmptyValue):
		return true, []problem.Field{problem.Parameter(p.Name, "must not be empty")}
	default:
		return true, []problem.Field{problem.Parameter(p.Name, "must be of type "+typeOf(p.Schema.Value))}
	}
}
