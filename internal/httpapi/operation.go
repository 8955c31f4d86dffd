package httpapi

import (
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"

	"github.com/message-service/message-service/internal/httpapi/openapi"
	"github.com/message-service/message-service/internal/messaging"
)

// bodyLimits bound a request body: it may have the levels of the metadata, and those around it.
var bodyLimits = openapi.Limits{
	Bytes:   64 << 10,
	Levels:  messaging.MetadataMaxDepth + 1,
	TooDeep: fmt.Sprintf("is nested too deeply: metadata may have %d levels", messaging.MetadataMaxDepth),
}

// newOperations lists the operations of a document by Echo's route and method.
func newOperations(document *openapi3.T) (map[string]map[string]*openapi.Operation, error) {
	byPath, err := openapi.Operations(document, bodyLimits)
	if err != nil {
		return nil, err
	}
	byRoute := make(map[string]map[string]*openapi.Operation, len(byPath))
	for path, operations := range byPath {
		byRoute[strings.NewReplacer("{", ":", "}", "").Replace(path)] = operations
	}
	return byRoute, nil
}

// operation returns the operation of a request, or nil if its path and method are
// not part of the contract.
func (s *Server) operation(c echo.Context) *openapi.Operation {
	return s.operations[c.Path()][c.Request().Method]
}

// validate refuses requests that break the contract.
func (s *Server) validate(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		op := s.operation(c)
		if op == nil || !op.TakesBody() {
			discardBody(c.Request())
		}
		if op == nil {
			return next(c)
		}
		c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
		if err := op.Check(c.Response(), c.Request(), c.ParamNames(), c.ParamValues()); err != nil {
			return err
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
