package httpapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"

	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/messaging"
)

// kind is a kind of problem: its title also makes its type.
type kind struct {
	status int
	title  string
}

var (
	badRequest           = kind{http.StatusBadRequest, "Bad Request"}
	forbidden            = kind{http.StatusForbidden, "Forbidden"}
	notFound             = kind{http.StatusNotFound, "Not Found"}
	misdirectedRequest   = kind{http.StatusMisdirectedRequest, "Misdirected Request"}
	methodNotAllowed     = kind{http.StatusMethodNotAllowed, "Method Not Allowed"}
	notAcceptable        = kind{http.StatusNotAcceptable, "Not Acceptable"}
	contentTooLarge      = kind{http.StatusRequestEntityTooLarge, "Content Too Large"}
	unsupportedMediaType = kind{http.StatusUnsupportedMediaType, "Unsupported Media Type"}
	unprocessableContent = kind{http.StatusUnprocessableEntity, "Unprocessable Content"}
	idempotencyKeyReused = kind{http.StatusUnprocessableEntity, "Idempotency Key Reused"}
	senderBlocked        = kind{http.StatusForbidden, "Sender Blocked"}
	messageDeleted       = kind{http.StatusConflict, "Message Deleted"}
	cursorAhead          = kind{http.StatusUnprocessableEntity, "Cursor Ahead"}
	tooManyRequests      = kind{http.StatusTooManyRequests, "Too Many Requests"}
	internalServerError  = kind{http.StatusInternalServerError, "Internal Server Error"}
	serviceUnavailable   = kind{http.StatusServiceUnavailable, "Service Unavailable"}
)

// kinds is the one place where the codes of the product become statuses.
var kinds = map[messaging.Code]kind{
	messaging.NotFound:             notFound,
	messaging.InvalidArgument:      unprocessableContent,
	messaging.IdempotencyKeyReused: idempotencyKeyReused,
	messaging.SenderBlocked:        senderBlocked,
	messaging.MessageDeleted:       messageDeleted,
	messaging.CursorAhead:          cursorAhead,
	messaging.TooManyStreams:       tooManyRequests,
	messaging.Unavailable:          serviceUnavailable,
}

// typePrefix and the title, in lower case and with hyphens, make a problem's type.
const typePrefix = "urn:problem-type:message-service:"

// retryAfter is how many seconds a client is asked to wait.
var retryAfter = map[kind]string{tooManyRequests: "5", serviceUnavailable: "1"}

// problem is an error of the edge itself, on its way to the error handler.
type problem struct {
	kind   kind
	detail string
	errors []server.FieldError
}

// Error says what the log should tell, the fields at fault included.
func (p *problem) Error() string {
	text := fmt.Appendf(nil, "%s: %s", p.kind.title, p.detail)
	for _, field := range p.errors {
		text = fmt.Appendf(text, "; %s%s %s", value(field.Pointer), value(field.Parameter), field.Detail)
	}
	return string(text)
}

// causeLogged is set in the context of a request whose error has a line of its own in the log.
const causeLogged = "causeLogged"

// handleError answers a failed request with a problem document. It is the only
// place where errors become answers (but for net/http's own, to what is no HTTP).
func (s *Server) handleError(err error, c echo.Context) {
	if c.Response().Committed {
		return // too late to tell the client; the access log has the error
	}
	p := s.explain(err, c)
	id := requestID(c)
	if p.kind == internalServerError {
		s.log.Error("request failed", "request_id", id, "method", c.Request().Method, "route", c.Path(), "error", err)
		c.Set(causeLogged, true)
	}
	body := server.Problem{
		Type:     typePrefix + strings.ReplaceAll(strings.ToLower(p.kind.title), " ", "-"),
		Title:    p.kind.title,
		Status:   int32(p.kind.status),
		Detail:   p.detail,
		Instance: "urn:request:" + id,
		Errors:   p.errors,
	}
	s.problemBounds.apply(&body)
	header := c.Response().Header()
	header.Del(echo.HeaderContentEncoding) // of the answer that failed
	header.Set(echo.HeaderContentType, "application/problem+json")
	if seconds, ok := retryAfter[p.kind]; ok {
		header.Set(echo.HeaderRetryAfter, seconds)
	}
	c.Response().WriteHeader(p.kind.status)
	if err := json.NewEncoder(c.Response()).Encode(body); err != nil {
		s.log.Debug("problem not delivered", "request_id", id, slog.Any("error", err))
	}
}

// explain makes a problem of any error.
func (s *Server) explain(err error, c echo.Context) *problem {
	if p, ok := errors.AsType[*problem](err); ok {
		return p
	}
	if e, ok := errors.AsType[*messaging.Error](err); ok {
		if e.Code == messaging.Unavailable && e.Unwrap() != nil {
			s.log.Warn("request not served", "request_id", requestID(c), "error", e.Unwrap())
			c.Set(causeLogged, true)
		}
		return &problem{kinds[e.Code], e.Message, s.fieldErrors(e.Fields, c)}
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, net.ErrClosed) {
		return &problem{kind: serviceUnavailable, detail: "The request was cancelled."}
	}
	if e, ok := errors.AsType[*echo.HTTPError](err); ok {
		switch e.Code {
		case http.StatusNotFound:
			return &problem{kind: notFound, detail: "There is nothing at this path."}
		case http.StatusMethodNotAllowed:
			header := c.Response().Header()
			header.Set(echo.HeaderAllow, strings.Replace(header.Get(echo.HeaderAllow), http.MethodGet, "GET, HEAD", 1))
			return &problem{kind: methodNotAllowed, detail: "This path does not have this method; the Allow header lists those it has."}
		}
		if e.Code < http.StatusInternalServerError { // the generated code could not decode what the validator let pass
			return &problem{kind: badRequest, detail: "The request cannot be understood."}
		}
	}
	return &problem{
		kind:   internalServerError,
		detail: "Something went wrong on the server. Its log tells more under this request id.",
	}
}

// fieldErrors points at the arguments at fault: at a parameter where the
// operation declares one of that name, else into the body.
func (s *Server) fieldErrors(fields []messaging.Field, c echo.Context) []server.FieldError {
	list := make([]server.FieldError, len(fields))
	for i, field := range fields {
		if op := s.operation(c); op != nil && op.declares(field.Name) {
			list[i] = parameterError(field.Name, field.Detail)
		} else {
			list[i] = pointerError("/"+field.Name, field.Detail)
		}
	}
	return list
}

func parameterError(name, detail string) server.FieldError {
	return server.FieldError{Parameter: &name, Detail: detail}
}

func pointerError(pointer, detail string) server.FieldError {
	return server.FieldError{Pointer: &pointer, Detail: detail}
}

// problemBounds are the limits that the contract puts on a problem document. Names
// and pointers in it come from the request, and so may there be any number.
type problemBounds struct{ errors, pointer, parameter int }

func newProblemBounds(document *openapi3.T) problemBounds {
	schemas := document.Components.Schemas
	field := schemas["FieldError"].Value.Properties
	return problemBounds{
		errors:    int(*schemas["Problem"].Value.Properties["errors"].Value.MaxItems),
		pointer:   int(*field["pointer"].Value.MaxLength),
		parameter: int(*field["parameter"].Value.MaxLength),
	}
}

func (b problemBounds) apply(body *server.Problem) {
	body.Errors = body.Errors[:min(len(body.Errors), b.errors)]
	for _, e := range body.Errors {
		if e.Pointer != nil {
			*e.Pointer = truncate(*e.Pointer, b.pointer)
		}
		if e.Parameter != nil {
			*e.Parameter = truncate(*e.Parameter, b.parameter)
		}
	}
}

// truncate shortens a text to at most n code points.
func truncate(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	return string([]rune(s)[:n-1]) + "…"
}
