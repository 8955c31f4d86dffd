package httpapi

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"

	"github.com/message-service/message-service/internal/httpapi/openapi"
	"github.com/message-service/message-service/internal/messaging"
)

// bodyLimits bound a request body: metadata may be nested MetadataMaxDepth levels deep, inside the
// object that is the body. Each value in it takes two bytes at least; beside metadata there are few.
var bodyLimits = openapi.Limits{
	Bytes:   64 << 10,
	Levels:  messaging.MetadataMaxDepth + 1,
	Values:  messaging.MetadataMaxBytes/2 + 128,
	TooDeep: fmt.Sprintf("is nested too deeply: metadata may have %d levels", messaging.MetadataMaxDepth),
	TooMany: fmt.Sprintf("has too many values: metadata may have %d bytes of compact JSON", messaging.MetadataMaxBytes),
}

// operation is an operation of the contract with the values of its x- members, which the contract
// explains above its paths.
type operation struct {
	*openapi.Operation

	access    access
	rate      rate
	noTimeout bool
	admit     func() error // returns an error if there is no room for a request; nil without x-admission
	logLevel  slog.Level   // of the access log for a response with status 200
}

// queues has, by the names that x-admission uses, functions that return an error if a queue is full.
type queues map[string]func() error

// newOperations returns the operations of a document by Echo's route and the method.
func newOperations(document *openapi3.T, queues queues) (map[string]map[string]*operation, error) {
	byPath, err := openapi.Operations(document, bodyLimits)
	if err != nil {
		return nil, err
	}
	byRoute := make(map[string]map[string]*operation, len(byPath))
	for path, byMethod := range byPath {
		if len(document.Paths.Value(path).Extensions) > 0 {
			return nil, fmt.Errorf("%s: x- members belong to operations", path)
		}
		operations := make(map[string]*operation, len(byMethod))
		for method, op := range byMethod {
			if operations[method], err = newOperation(op, queues); err != nil {
				return nil, fmt.Errorf("%s %s: %w", method, path, err)
			}
		}
		byRoute[strings.NewReplacer("{", ":", "}", "").Replace(path)] = operations
	}
	return byRoute, nil
}

// newOperation reads the x- members of an operation.
func newOperation(checks *openapi.Operation, queues queues) (op *operation, err error) {
	op = &operation{Operation: checks}
	for name, value := range checks.Spec.Extensions {
		text, _ := value.(string)
		switch {
		case name == "x-access":
			op.access, err = newAccess(checks, value)
		case name == "x-rate":
			op.rate, err = newRate(checks, value)
		case name == "x-timeout" && text == "none":
			op.noTimeout = true
		case name == "x-admission" && queues[text] != nil:
			op.admit = queues[text]
		case name == "x-access-log" && text == "debug":
			op.logLevel = slog.LevelDebug
		default:
			err = fmt.Errorf("%s: %v is unknown", name, value)
		}
		if err != nil {
			return nil, err
		}
	}
	switch {
	case op.Answers(eventStream) && !op.noTimeout:
		return nil, errors.New("x-timeout: none is missing, without which the server would cut its stream off")
	case op.admit != nil && op.Spec.Responses.Value("503") == nil:
		return nil, errors.New("x-admission refuses requests with 503, which is not one of the responses")
	}
	return op, op.checkAccess()
}

// checkAdmission sheds load: it refuses a request whose queue is full before its body is read and
// validated, so that an overloaded server spends its time on requests that it can store.
func (s *Server) checkAdmission(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if op := exchangeIn(c).operation; op != nil && op.admit != nil {
			if err := op.admit(); err != nil {
				return err
			}
		}
		return next(c)
	}
}

// validate refuses requests that break the contract, and counts those about several items.
func (s *Server) validate(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		op := exchangeIn(c).operation
		if op == nil || !op.TakesBody() {
			discardBody(c.Request())
		}
		if op == nil {
			return next(c)
		}
		c.Response().Header().Set(echo.HeaderCacheControl, "no-store")
		err := op.Check(c.Response(), c.Request(), c.ParamNames(), c.ParamValues())
		if op.rate.each != "" { // only the validated body says for how many items it is
			err = s.limitItems(c, op.rate.each, err)
		}
		if err != nil {
			return err
		}
		return next(c)
	}
}

// discardBody drains an HTTP/2 request body that the handler does not read, in the background. Unread
// bodies use up the flow-control window of the connection, which a proxy shares among many clients: a
// few of them would block all its requests for as long as a stream lasts. On HTTP/1.1 net/http drains
// the body after the response.
func discardBody(r *http.Request) {
	if r.ProtoMajor == 2 && r.ContentLength != 0 {
		go io.Copy(io.Discard, r.Body) //nolint:errcheck // it ends with the request
	}
}
