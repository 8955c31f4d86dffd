package apitest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/uuid"
)

// generated is a random request.
type generated struct {
	method, target, body string
	header               []string
}

// generate makes a request of an operation from its description, mostly a valid one, with what carol knows.
func (r *thirdRun) generate(o operation) generated {
	request, query := generated{method: o.method, target: o.path}, url.Values{}
	for _, reference := range o.parameters {
		parameter := reference.Value
		if parameter.Name == "wait" || !parameter.Required && r.random.IntN(4) > 0 { // a request with wait may be held
			continue
		}
		kind := path.Base(reference.Ref) // of a parameter that several operations share
		if parameter.Schema.Ref != "" {
			kind = path.Base(parameter.Schema.Ref)
		}
		value := fmt.Sprint(r.value(kind, parameter.Schema.Value))
		switch parameter.In {
		case openapi3.ParameterInPath:
			request.target = strings.ReplaceAll(request.target, "{"+parameter.Name+"}", url.PathEscape(value))
		case openapi3.ParameterInQuery:
			query.Set(parameter.Name, value)
		case openapi3.ParameterInHeader:
			request.header = append(request.header, parameter.Name+": "+value)
		}
	}
	if len(query) > 0 {
		request.target += "?" + query.Encode()
	}
	if o.RequestBody != nil {
		text, err := json.Marshal(r.value("", o.RequestBody.Value.Content["application/json"].Schema.Value))
		if err != nil {
			r.t.Fatal(err)
		}
		request.body, request.header = string(text), append(request.header, "Content-Type: application/json")
	}
	return request
}

// value makes a value of a schema: one that carol knows, if the schema or parameter has a name of which she knows some.
func (r *thirdRun) value(name string, schema *openapi3.Schema) any {
	if name == "Cursor" {
		name = "MessageId" // they are alike
	}
	known := r.known[name]
	if own := r.own[name]; len(own) > 0 && r.random.IntN(2) == 0 {
		known = own
	}
	switch {
	case len(known) > 0 && r.random.IntN(20) > 0:
		return known[r.random.IntN(len(known))]
	case len(schema.Enum) > 0:
		return schema.Enum[r.random.IntN(len(schema.Enum))]
	case schema.Type.Is("object"):
		return r.object(schema)
	case schema.Type.Is("array"):
		return []any{r.value(path.Base(schema.Items.Ref), schema.Items.Value)}
	case schema.Type.Is("boolean"):
		return r.random.IntN(2) == 0
	case schema.Type.Is("integer"):
		return int(*schema.Min) + r.random.IntN(5)
	case schema.Format == "uuid":
		return uuid.Nil.String() // as a cursor, the beginning
	}
	words := r.known["Words"]
	return words[r.random.IntN(len(words))]
}

func (r *thirdRun) object(schema *openapi3.Schema) map[string]any {
	object := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
		member := schema.Properties[name]
		if slices.Contains(schema.Required, name) || r.random.IntN(2) == 0 {
			object[name] = r.value(path.Base(member.Ref), member.Value)
		}
	}
	return object
}
