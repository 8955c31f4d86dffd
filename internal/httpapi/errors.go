package httpapi

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/message-service/message-service/internal/httpapi/problem"
	"github.com/message-service/message-service/internal/messaging"
)

// kinds is the one place where the codes of the product become statuses. It has to have every code.
//
//exhaustive:enforce
var kinds = map[messaging.Code]problem.Kind{
	messaging.NotFound:             problem.NotFound,
	messaging.InvalidArgument:      problem.UnprocessableContent,
	messaging.IdempotencyKeyReused: problem.IdempotencyKeyReused,
	messaging.SenderBlocked:        problem.SenderBlocked,
	messaging.MessageDeleted:       problem.MessageDeleted,
	messaging.CursorAhead:          problem.CursorAhead,
	messaging.TooManyStreams:       problem.TooManyRequests,
	messaging.Unavailable:          problem.ServiceUnavailable,
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
	if p.Kind == problem.InternalServerError {
		s.log.Error("request failed", "request_id", id, "method", c.Request().Method, "route", c.Path(), "error", err)
		c.Set(causeLogged, true)
	}
	if err := s.problems.Write(c.Response(), p, id); err != nil {
		s.log.Debug("problem not delivered", "request_id", id, slog.Any("error", err))
	}
}

// explain makes a problem of any error.
func (s *Server) explain(err error, c echo.Context) *problem.Error {
	if p, ok := errors.AsType[*problem.Error](err); ok {
		return p
	}
	if e, ok := errors.AsType[*messaging.Error](err); ok {
		if e.Code == messaging.Unavailable && e.Unwrap() != nil {
			s.log.Warn("request not served", "request_id", requestID(c), "error", e.Unwrap())
			c.Set(causeLogged, true)
		}
		return &problem.Error{Kind: kinds[e.Code], Detail: e.Message, Fields: s.fieldErrors(e.Fields, c)}
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, net.ErrClosed) {
		return &problem.Error{Kind: problem.ServiceUnavailable, Detail: "The request was cancelled."}
	}
	if e, ok := errors.AsType[*echo.HTTPError](err); ok {
		switch e.Code {
		case http.StatusNotFound:
			return problem.NoSuchPath
		case http.StatusMethodNotAllowed:
			header := c.Response().Header()
			header.Set(echo.HeaderAllow, strings.Replace(header.Get(echo.HeaderAllow), http.MethodGet, "GET, HEAD", 1))
			return &problem.Error{Kind: problem.MethodNotAllowed, Detail: "This path does not have this method; the Allow header lists those it has."}
		}
		if e.Code < http.StatusInternalServerError { // the generated code could not decode what the validator let pass
			return &problem.Error{Kind: problem.BadRequest, Detail: "The request cannot be understood."}
		}
	}
	return &problem.Error{
		Kind:   problem.InternalServerError,
		Detail: "Something went wrong on the server. Its log tells more under this request id.",
	}
}

// fieldErrors points at the arguments at fault: at a parameter where the
// operation declares one of that name, else into the body.
func (s *Server) fieldErrors(fields []messaging.Field, c echo.Context) []problem.Field {
	list := make([]problem.Field, len(fields))
	for i, field := range fields {
		if op := s.operation(c); op != nil && op.HasParameter(field.Name) {
			list[i] = problem.Parameter(field.Name, field.Detail)
		} else {
			list[i] = problem.Pointer("/"+field.Name, field.Detail)
		}
	}
	return list
}
