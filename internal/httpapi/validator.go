package httpapi

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/labstack/echo/v4"

	"github.com/message-service/message-service/gen/server"
)

// maxBodyBytes bounds a request body.
const maxBodyBytes = 64 << 10

// operation is what the validator knows of an operation of the contract.
type operation struct {
	route      *routers.Route
	parameters openapi3.Parameters
	body       *openapi3.Schema // nil if the operation takes no body
	produces   []string         // the media types of its successful answers, if it minds the Accept header
}

func (op *operation) declares(parameter string) bool {
	return slices.ContainsFunc(op.parameters, func(p *openapi3.ParameterRef) bool { return p.Value.Name == parameter })
}

// newOperations lists the operations of a document by method and Echo's route.
func newOperations(document *openapi3.T) map[string]*operation {
	operations := map[string]*operation{}
	for path, item := range document.Paths.Map() {
		route := strings.NewReplacer("{", ":", "}", "").Replace(path)
		for method, spec := range item.Operations() {
			op := &operation{
				route:      &routers.Route{Spec: document, Path: path, PathItem: item, Method: method, Operation: spec},
				parameters: slices.Concat(item.Parameters, spec.Parameters),
			}
			if spec.RequestBody != nil {
				op.body = spec.RequestBody.Value.Content["application/json"].Schema.Value
			}
			if spec.Responses.Value("406") != nil {
				for status, response := range spec.Responses.Map() {
					if strings.HasPrefix(status, "2") {
						op.produces = slices.AppendSeq(op.produces, maps.Keys(response.Value.Content))
					}
				}
				slices.Sort(op.produces)
			}
			operations[method+" "+route] = op
		}
	}
	return operations
}

// operation returns the operation of a request, or nil if its path and method are
// not part of the contract.
func (s *Server) operation(c echo.Context) *operation {
	return s.operations[c.Request().Method+" "+c.Path()]
}

// validate refuses requests that break the contract.
func (s *Server) validate(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		op := s.operation(c)
		if op == nil || op.body == nil {
			discardBody(c.Request())
		}
		if op == nil {
			return next(c)
		}
		c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
		if err := op.checkAccept(c.Request()); err != nil {
			return err
		}
		if err := op.checkParameters(c); err != nil {
			return err
		}
		if op.body != nil {
			if err := op.checkBody(c); err != nil {
				return err
			}
		}
		return next(c)
	}
}

// discardBody reads, beside the answer, a body that nobody needs. The requests of an HTTP/2
// connection share the room for what has not been read yet, and a proxy has those of many clients on
// one: a few bodies that wait as long as a stream lasts would stop all others. Of HTTP/1.1
// net/http discards it after the answer.
func discardBody(r *http.Request) {
	if r.ProtoMajor == 2 && r.ContentLength != 0 {
		go io.Copy(io.Discard, r.Body) //nolint:errcheck // it ends with the request
	}
}

// violations collects what is wrong with a request.
type violations struct {
	malformed bool // something cannot even be understood
	errors    []server.FieldError
}

func (v *violations) add(malformed bool, fields ...server.FieldError) {
	v.malformed = v.malformed || malformed
	v.errors = append(v.errors, fields...)
}

// problem returns nil when there are no violations.
func (v *violations) problem() error {
	switch {
	case len(v.errors) == 0:
		return nil
	case v.malformed:
		return &problem{badRequest, "The request has a parameter that cannot be understood; see errors.", v.errors}
	default:
		return &problem{unprocessableContent, "The request breaks a rule of its schema; see errors.", v.errors}
	}
}

func (op *operation) checkParameters(c echo.Context) error {
	request := c.Request()
	query, err := url.ParseQuery(request.URL.RawQuery)
	if err != nil {
		return &problem{kind: badRequest, detail: "The query string cannot be parsed: write ; as %3B, and % as %25."}
	}
	input := &openapi3filter.RequestValidationInput{
		Request: request, QueryParams: query, Route: op.route,
		PathParams: map[string]string{},
		Options:    &openapi3filter.Options{MultiError: true, SkipSettingDefaults: true, SchemaValidationOptions: formats},
	}
	for i, name := range c.ParamNames() {
		text := c.ParamValues()[i]
		if strings.Contains(text, "/") {
			return echo.ErrNotFound // Echo lets the last parameter of a route take the rest of the path
		}
		if request.URL.RawPath != "" { // else Echo matched the decoded path, as the generated handler knows
			if text, err = url.PathUnescape(text); err != nil {
				return &problem{kind: badRequest, detail: "The path is not valid percent-encoding."}
			}
		}
		input.PathParams[name] = text
	}
	found := &violations{}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if op.parameters.GetByInAndName(openapi3.ParameterInQuery, name) == nil {
			found.add(true, parameterError(name, "is not a parameter of this operation"))
		}
	}
	for _, ref := range op.parameters {
		normalizeParameter(c, ref.Value, query)
		malformed, fields := checkParameter(ref.Value, input)
		found.add(malformed, fields...)
	}
	return found.problem()
}

// normalizeParameter takes an empty parameter away where the contract says that it counts as
// absent, and writes the letters of a time as Go reads them. It changes what is validated and
// what the generated handler decodes alike.
func normalizeParameter(c echo.Context, p *openapi3.Parameter, query url.Values) {
	if p.Extensions["x-empty-is-absent"] == true {
		if values := c.Request().Header.Values(p.Name); p.In == openapi3.ParameterInHeader && len(values) == 1 && values[0] == "" {
			c.Request().Header.Del(p.Name)
		}
		if values := query[p.Name]; p.In == openapi3.ParameterInQuery && len(values) == 1 && values[0] == "" {
			query.Del(p.Name)
			c.QueryParams().Del(p.Name)
		}
	}
	if values := query[p.Name]; p.In == openapi3.ParameterInQuery && p.Schema.Value.Format == "date-time" && len(values) == 1 {
		values[0] = strings.ToUpper(values[0]) // RFC 3339, 5.6
		c.QueryParams().Set(p.Name, values[0])
	}
}

// checkParameter tells what is wrong with a parameter, and whether it cannot even be
// understood.
func checkParameter(p *openapi3.Parameter, input *openapi3filter.RequestValidationInput) (malformed bool, fields []server.FieldError) {
	values := input.QueryParams[p.Name]
	if p.In == openapi3.ParameterInHeader {
		values = input.Request.Header.Values(p.Name)
	}
	switch {
	case p.In != openapi3.ParameterInPath && !p.Required && len(values) == 0: // as most are
		return false, nil
	case p.In != openapi3.ParameterInPath && len(values) > 1:
		return true, []server.FieldError{parameterError(p.Name, "is given more than once")}
	case p.In == openapi3.ParameterInQuery && !utf8.ValidString(input.QueryParams.Get(p.Name)):
		return true, []server.FieldError{parameterError(p.Name, "is not UTF-8")}
	}
	if err := openapi3filter.ValidateParameter(input.Request.Context(), input, p); err != nil {
		return parameterViolation(p, err)
	}
	return false, nil
}

// parameterViolation tells what is wrong with a parameter, and whether it cannot
// even be understood: it is no integer, no UUID, no time.
func parameterViolation(p *openapi3.Parameter, err error) (malformed bool, fields []server.FieldError) {
	failures := schemaErrors(err)
	for _, failure := range failures {
		malformed = malformed || failure.SchemaField == "format"
		fields = append(fields, parameterError(p.Name, explainSchema(failure)))
	}
	switch {
	case len(failures) > 0:
		return malformed, fields
	case errors.Is(err, openapi3filter.ErrInvalidRequired):
		return true, []server.FieldError{parameterError(p.Name, "is required")}
	case errors.Is(err, openapi3filter.ErrInvalidEmptyValue):
		return true, []server.FieldError{parameterError(p.Name, "must not be empty")}
	default:
		return true, []server.FieldError{parameterError(p.Name, "must be of type "+typeOf(p.Schema.Value))}
	}
}

func (op *operation) checkBody(c echo.Context) error {
	request := c.Request()
	if err := checkContentType(c); err != nil {
		return err
	}
	var text []byte
	err := error(&http.MaxBytesError{Limit: maxBodyBytes})
	if request.ContentLength <= maxBodyBytes { // else it need not even be sent
		text, err = io.ReadAll(http.MaxBytesReader(c.Response(), request.Body, maxBodyBytes))
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return &problem{kind: contentTooLarge, detail: fmt.Sprintf("The request body is larger than %d bytes.", maxBodyBytes)}
	}
	if err != nil {
		return &problem{kind: badRequest, detail: "The request body could not be read to its end."}
	}
	value, err := decodeJSON(text)
	if err != nil {
		return err
	}
	if err := op.body.VisitJSON(value, bodyRules...); err != nil {
		return bodyViolations(err).problem()
	}
	request.Body = validatedBody{bytes.NewReader(text), value}
	return nil
}

// bodyViolations tells what is wrong with a body.
func bodyViolations(err error) *violations {
	found := &violations{}
	for _, failure := range schemaErrors(err) {
		pointer := pointerOf(failure)
		if failure.SchemaField != "properties" {
			found.add(false, pointerError(pointer, explainSchema(failure)))
			continue
		}
		for _, name := range unknownMembers(failure) {
			found.add(false, pointerError(pointer+"/"+escapePointer(name), "is not a member of this object"))
		}
	}
	return found
}

func checkContentType(c echo.Context) error {
	header := c.Request().Header
	if encoding := strings.Join(header.Values(echo.HeaderContentEncoding), ","); encoding != "" && !strings.EqualFold(encoding, "identity") {
		c.Response().Header().Set(echo.HeaderAcceptEncoding, "identity") // RFC 9110, 15.5.16
		return &problem{unsupportedMediaType, "The request body must not be compressed.", []server.FieldError{
			parameterError(echo.HeaderContentEncoding, "must be absent"),
		}}
	}
	mediaType, parameters, err := mime.ParseMediaType(header.Get(echo.HeaderContentType))
	charset, hasCharset := parameters["charset"]
	if err != nil || len(header.Values(echo.HeaderContentType)) > 1 || mediaType != echo.MIMEApplicationJSON || hasCharset && !strings.EqualFold(charset, "utf-8") {
		return &problem{unsupportedMediaType, "The request body must be application/json.", []server.FieldError{
			parameterError(echo.HeaderContentType, "must be application/json"),
		}}
	}
	return nil
}
