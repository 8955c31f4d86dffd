package contract

import (
	"sync"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/message-service/message-service/api"
)

// Document returns the OpenAPI document without descriptions and examples, parsed once for the whole process. It is read-only.
var Document = sync.OnceValue(func() *openapi3.T {
	document, err := openapi3.NewLoader().LoadFromData(api.Rules)
	if err != nil {
		panic(err) // the document is embedded in the program
	}
	return document
})
