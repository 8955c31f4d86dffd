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

// The x- members of a parameter.
const (
	emptyIsAbsent      = "x-empty-is-absent"      // an empty value means that it is absent
	invalidIsMalformed = "x-invalid-is-malformed" // whatever rule of its schema a value breaks, the answer is 400, not 422
)

// Limits bound a request body where a schema cannot.
type Limits struct {
	Bytes  int64
	Levels int // of nested objects and arrays
	Values int // in all, of what a schema allows

	// TooDeep and TooMany are the error messages for a body with more levels, or values.
	TooDeep, TooMany string
}

// Operation validates the requests of an operation.
type Operation struct {
	Spec *openapi3.Operation
	Path string // as in the document, with its parameters in braces

	route      *routers.Route
	parameters openapi3.Parameters
	body       *openapi3.Schema // nil if the operation takes no body
	produces   []string         // the media types of its successful responses; empty if it ignores the Accept header
	limits     Limits
}

// Operations returns the operations of a document by path and method. It fails if the document uses a
// feature that this package does not validate.
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

// checkable returns an error if a parameter uses a feature that this package does not validate.
func checkable(p *openapi3.Parameter) error {
	if p.In == openapi3.ParameterInCookie || p.Schema == nil {
		return errors.New("only those of the path, the query and the header are checked, and by a schema")
	}
	for name, value := range p.Extensions {
		if name != emptyIsAbsent && name != invalidIsMalformed || value != true {
			return fmt.Errorf("%s: %v is unknown", name, value)
		}
	}
	return nil
}

// successTypes returns the media types of the 2xx responses, sorted.
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

// Answers reports whether a 2xx response may have the media type.
func (op *Operation) Answers(mediaType string) bool {
	return slices.Contains(op.successTypes(), mediaType)
}

// HasParameter reports whether the operation has a parameter of that name.
func (op *Operation) HasParameter(name string) bool {
	return slices.ContainsFunc(op.parameters, func(p *openapi3.ParameterRef) bool { return p.Value.Name == name })
}

// HasMember reports whether the request body of the operation has a member of that name.
func (op *Operation) HasMember(name string) bool {
	return op.body != nil && op.body.Properties[name] != nil
}

// HasItems reports whether the request body of the operation has an array of that name, which is never empty.
func (op *Operation) HasItems(name string) bool {
	if !op.HasMember(name) || !slices.Contains(op.body.Required, name) {
		return false
	}
	array := op.body.Properties[name].Value
	return array.Type.Is(openapi3.TypeArray) && array.MinItems > 0
}

// Schemes returns the security schemes of which a request must satisfy one, in the document's order.
// None means that the operation needs no credential.
func (op *Operation) Schemes() []string {
	requirements := op.Spec.Security
	if requirements == nil {
		requirements = &op.route.Spec.Security
	}
	schemes := make([]string, len(*requirements))
	for i, requirement := range *requirements {
		schemes[i] = strings.Join(slices.Sorted(maps.Keys(requirement)), " and ")
	}
	return schemes
}

// Check returns a [problem.Error] if a request violates the contract. It replaces the body by the
// decoded one, which the generated handler binds. Path parameters come as the router found them:
// percent-encoded if the URL has a RawPath.
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
