package contract

import (
	"sync"

	"github.com/getkin/kin-openapi/openapi3"

	"github.com/message-service/message-service/api"
)

// Document returns the contract, parsed once for the whole process. Nobody may change it.
var Document = sync.OnceValue(func() *openapi3.T {
	document, err := openapi3.NewLoader().LoadFromData(api.Document)
	if err != nil {
		panic(err) // it is part of the program
	}
	return document
})
