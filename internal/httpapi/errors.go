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
	"github.com/message-service/message-service/internal/identity"
	"github.com/message-service/message-service/internal/messaging"
)

// kinds maps every error code of package messaging to the kind of problem, and so to the status.
//
//exhaustive:enforce
var kinds = map[messaging.Code]problem.Kind{
	messaging.NotFound:             problem.NotFound,
	messaging.InvalidArgument:      problem.UnprocessableContent,
	messaging.IdempotencyKeyReused: problem.IdempotencyKeyReused,
	messaging.SenderBlocked:        problem.SenderBlocked,
	messaging.MessageDeleted:       problem.MessageDeleted,
	messaging.UserClosed:           problem.UserBeingErased,
	messaging.GroupExists:          problem.GroupExists,
	messaging.LimitReached:         problem.LimitReached,
	messaging.GroupTooLarge:        problem.GroupTooLarge,
	messaging.CursorAhead:          problem.CursorAhead,
	messaging.TooManyStreams:       problem.TooManyRequests,
	messaging.Forbidden:            problem.Forbidden,
	messaging.Unavailable:          problem.ServiceUnavailable,
}

// identityKinds does the same for package identity.
//
//exhaustive:enforce
var identityKinds = map[identity.Code]problem.Kind{
	identity.Invalid:         problem.CredentialInvalid,
	identity.Expired:         problem.CredentialExpired,
	identity.Revoked:         problem.CredentialRevoked,
	identity.Forbidden:       problem.Forbidden,
	identity.InvalidArgument: problem.UnprocessableContent,
	identity.NotFound:        problem.NotFound,
	identity.TokensOff:       problem.TokenSecretsMissing,
	identity.TooMany:         problem.TooManyKeys,
	identity.Unavailable:     problem.ServiceUnavailable,
}

// causeLogged is the context key that keeps the access log from repeating an error already logged.
const causeLogged = "causeLogged"

// handleError answers a failed request with a problem document. It is the only place where errors
// become responses; only requests that are not valid HTTP are answered by net/http.
func (s *Server) handleError(err error, c echo.Context) {
	if c.Response().Committed {
		return // the status has been sent; the access log has the error
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

// explain converts any error to a problem.
func (s *Server) explain(err error, c echo.Context) *problem.Error {
	if p, ok := errors.AsType[*problem.Error](err); ok {
		return p
	}
	if e, ok := errors.AsType[*messaging.Error](err); ok {
		if e.Code == messaging.Unavailable {
			s.logCause(e, c)
		}
		return &problem.Error{Kind: kinds[e.Code], Detail: e.Message, Fields: s.fieldErrors(e.Fields, c)}
	}
	if e, ok := errors.AsType[*identity.Error](err); ok {
		return s.explainIdentity(e, c)
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
		if e.Code < http.StatusInternalServerError { // the generated code failed to decode a validated request
			return &problem.Error{Kind: problem.BadRequest, Detail: "The request cannot be understood."}
		}
	}
	return &problem.Error{
		Kind:   problem.InternalServerError,
		Detail: "Something went wrong on the server. Its log tells more under this request id.",
	}
}

// explainIdentity converts an error of package identity. A 401 has the header of RFC 6750, section 3.
func (s *Server) explainIdentity(e *identity.Error, c echo.Context) *problem.Error {
	if e.Code == identity.Unavailable {
		s.logCause(e, c)
	}
	p := &problem.Error{Kind: identityKinds[e.Code], Detail: e.Message}
	if e.Field != "" {
		p.Detail = "The request breaks a rule; see errors."
		p.Fields = s.fieldErrors([]messaging.Field{{Name: e.Field, Detail: e.Message}}, c)
	}
	if p.Kind.Status == http.StatusUnauthorized {
		p.Header = http.Header{echo.HeaderWWWAuthenticate: {`Bearer error="invalid_token"`}}
	}
	return p
}

// logCause logs why a request could not be served, if there is a cause.
func (s *Server) logCause(err interface{ Unwrap() error }, c echo.Context) {
	if cause := err.Unwrap(); cause != nil {
		s.log.Warn("request not served", "request_id", requestID(c), "error", cause)
		c.Set(causeLogged, true)
	}
}

// fieldErrors names the invalid arguments: as a parameter if the operation has one of that name,
// otherwise as a member of the body.
func (s *Server) fieldErrors(fields []messaging.Field, c echo.Context) []problem.Field {
	list := make([]problem.Field, len(fields))
	for i, field := range fields {
		if op := exchangeIn(c).operation; op != nil && op.HasParameter(field.Name) {
			list[i] = problem.Parameter(field.Name, field.Detail)
		} else {
			list[i] = problem.Pointer("/"+field.Name, field.Detail)
		}
	}
	return list
}
