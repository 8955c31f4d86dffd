package openapi

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers"
)

const jsonType = "application/json"

// emptyIsAbsent is the member of a parameter that counts as absent if its value is empty.
const emptyIsAbsent = "x-empty-is-absent"

// Limits are what a request body may have that no schema can say.
type Limits struct {
	Bytes  int64
	Levels int // of objects and arrays

	// TooDeep is what a client is told whose body has more levels.
	TooDeep string
}

// Operation checks the requests of an operation.
type Operation struct {
	Spec *openapi3.Operation
	Path string // as in the document, with its parameters in braces

	route      *routers.Route
	parameters openapi3.Parameters
	body       *openapi3.Schema // nil if the operation takes no body
	produces   []string         // the media types of its successful answers, if it minds the Accept header
	limits     Limits
}

// Operations lists the operations of a document by path, as the document has it, and method. It
// fails on what requests could have that is not checked here.
func Operations(document *openapi3.T, limits Limits) (map[string]map[string]*Operation, error) {
	operations := map[string]map[string]*Operation{}
	for path, item := range document.Paths.Map() {
		operations[path] = map[string]*Operation{}
		for method, spec := range item.Operations() {
			op, err := newOperation(&routers.Route{Spec: document, Path: path, PathItem: item, Method: method, Operation: spec}, limits)
			if err != nil {
				return nil, fmt.Errorf("%s %s: %w", method, path, err)
			}
			operations[path][method] = op
		}
	}
	return operations, nil
}

func newOperation(route *routers.Route, limits Limits) (*Operation, error) {
	spec := route.Operation
	op := &Operation{
		Spec: spec, Path: route.Path, route: route, limits: limits,
		parameters: slices.Concat(route.PathItem.Parameters, spec.Parameters),
	}
	for _, p := range op.parameters {
		if err := checkable(p.Value); err != nil {
			return nil, fmt.Errorf("parameter %s: %w", p.Value.Name, err)
		}
	}
	if spec.RequestBody != nil {
		content := spec.RequestBody.Value.Content
		if len(content) != 1 || content[jsonType] == nil || !spec.RequestBody.Value.Required {
			return nil, errors.New("a request body must be " + jsonType + " and required")
		}
		op.body = content[jsonType].Schema.Value
	}
	if spec.Responses.Value("406") != nil {
		op.produces = op.successTypes()
	}
	return op, nil
}

// checkable returns what of a parameter is not checked here, if there is anything.
func checkable(p *openapi3.Parameter) error {
	if p.In == openapi3.ParameterInCookie || p.Schema == nil {
		return errors.New("only those of the path, the query and the header are checked, and by a schema")
	}
	for name, value := range p.Extensions {
		if name != emptyIsAbsent || value != true {
			return fmt.Errorf("%s: %v is unknown", name, value)
		}
	}
	return nil
}

// successTypes are the media types of the successful answers.
func (op *Operation) successTypes() (mediaTypes []string) {
	for status, response := range op.Spec.Responses.Map() {
		if strings.HasPrefix(status, "2") {
			mediaTypes = slices.AppendSeq(mediaTypes, maps.Keys(response.Value.Content))
		}
	}
	slices.Sort(mediaTypes)
	return mediaTypes
}

// TakesBody reports whether requests of the operation have a body.
func (op *Operation) TakesBody() bool { return op.body != nil }

// Answers reports whether a successful answer may have a media type.
func (op *Operation) Answers(mediaType string) bool {
	return slices.Contains(op.successTypes(), mediaType)
}

// HasParameter reports whether the operation has a parameter of that name.
func (op *Operation) HasParameter(name string) bool {
	return slices.ContainsFunc(op.parameters, func(p *openapi3.ParameterRef) bool { return p.Value.Name == name })
}

// Check returns a [problem.Error] if a request breaks the contract. It reads the body, and leaves it
// decoded where the generated handler looks for it. The values of the path's parameters are as the
// router found them: percent-encoded if the URL has a RawPath.
func (op *Operation) Check(w http.ResponseWriter, r *http.Request, pathNames, pathValues []string) error {
	if err := op.checkAccept(r); err != nil {
		return err
	}
	if err := op.checkParameters(r, pathNames, pathValues); err != nil {
		return err
	}
	if op.body == nil {
		return nil
	}
	return op.checkBody(w, r)
}
