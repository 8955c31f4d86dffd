package httpapi

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/message-service/message-service/internal/httpapi/openapi"
	"github.com/message-service/message-service/internal/httpapi/problem"
	"github.com/message-service/message-service/internal/identity"
)

const ticketParameter = "ticket"

var (
	credentialRequired = &problem.Error{
		Kind: problem.CredentialRequired, Detail: "Send a service key or a user token: Authorization: Bearer …",
		Header: http.Header{echo.HeaderWWWAuthenticate: {"Bearer"}},
	}
	notBearer = &identity.Error{
		Code: identity.Invalid, Message: "Authorization is not of the form Bearer and a service key or a user token.",
	}
	severalCredentials = &problem.Error{Kind: problem.BadRequest, Detail: "The request has several credentials; send one."}
	servicesOnly       = &problem.Error{Kind: problem.Forbidden, Detail: "This is for service keys only."}
)

// authenticate finds out who makes a request. It refuses it with 401 if there is no good credential, and with
// 403 if the credential does not allow the operation. Public operations, pages and unknown paths take no
// credential, and ignore one.
//
// A request that may last, such as a stream, ends when its credential does.
func (s *Server) authenticate(next echo.HandlerFunc) echo.HandlerFunc {
	if !s.authenticates {
		return next
	}
	return func(c echo.Context) error {
		x := exchangeIn(c)
		op := x.operation
		if op == nil || op.access.public() {
			return next(c)
		}
		principal, err := s.principal(c, op)
		if refused, ok := errors.AsType[*identity.Error](err); ok {
			return s.refuseCredential(refused, c)
		}
		if err != nil {
			return err
		}
		x.principal, x.caller = principal, s.caller(principal)
		if err := op.permit(principal, c); err != nil {
			return err
		}
		if !op.noTimeout {
			return next(c)
		}
		ctx, stop := s.identity.Until(c.Request().Context(), principal)
		defer stop()
		c.SetRequest(c.Request().WithContext(ctx))
		if err = next(c); err != nil && ended(ctx) != nil {
			return ended(ctx)
		}
		return err
	}
}

// ended returns the error with which a credential has ended a context of [identity.Service.Until], or nil.
func ended(ctx context.Context) error {
	if err, ok := errors.AsType[*identity.Error](context.Cause(ctx)); ok {
		return err
	}
	return nil
}

// credential is what a request that lasts was authenticated by. Without authentication it has no principal, and
// never ends.
type credential struct {
	identity  *identity.Service
	principal *identity.Principal
}

func (h *handlers) credentialOf(ctx context.Context) credential {
	return credential{h.identity, exchangeOf(ctx).principal}
}

// check returns an error once the credential has ended.
func (c credential) check() error {
	if c.principal == nil {
		return nil
	}
	return c.identity.Check(c.principal)
}

// until returns a context that ends when the credential does.
func (c credential) until(ctx context.Context) (context.Context, context.CancelFunc) {
	if c.principal == nil {
		return context.WithCancel(ctx)
	}
	return c.identity.Until(ctx, c.principal)
}

// principal returns who makes a request, by the one credential that it has.
func (s *Server) principal(c echo.Context, op *operation) (*identity.Principal, error) {
	r := c.Request()
	ticket, hasTicket := ticketOf(op, r)
	header := r.Header[echo.HeaderAuthorization]
	switch {
	case len(header) > 1 || len(header) == 1 && hasTicket:
		return nil, severalCredentials
	case hasTicket:
		return s.identity.AuthenticateTicket(r.Context(), ticket, op.argument(c, "userId"))
	case len(header) == 0:
		return nil, credentialRequired
	}
	scheme, token, _ := strings.Cut(header[0], " ")
	token = strings.TrimLeft(token, " ")
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return nil, notBearer
	}
	return s.identity.Authenticate(r.Context(), token)
}

// ticketOf returns the stream ticket in the query of a request, if the operation takes one.
func ticketOf(op *operation, r *http.Request) (ticket string, has bool) {
	if !op.HasParameter(ticketParameter) {
		return "", false
	}
	return inQuery(r.URL.RawQuery, ticketParameter)
}

// permit returns a problem if a principal may not call the operation. What depends on the body or the database
// is left to the use case.
func (op *operation) permit(principal *identity.Principal, c echo.Context) error {
	if principal.User == "" {
		if principal.Has(identity.Scope(op.access.scope)) {
			return nil
		}
		return &problem.Error{
			Kind: problem.InsufficientScope, Detail: "This service key does not have the scope " + op.access.scope + ".",
			Header: http.Header{echo.HeaderWWWAuthenticate: {`Bearer error="insufficient_scope", scope="` + op.access.scope + `"`}},
		}
	}
	if !op.access.users {
		return servicesOnly
	}
	actors := op.access.actors
	if len(actors) == 0 || slices.ContainsFunc(actors, func(name string) bool { return op.access.isActor(name, op.argument(c, name), principal.User) }) {
		return nil
	}
	detail := "must be the user of the token"
	fields := make([]problem.Field, len(actors))
	for i, name := range actors {
		fields[i] = problem.Parameter(name, detail)
		if op.access.mayBeGroup(name) {
			fields[i].Detail += ", or a group of theirs"
		}
		if strings.ReplaceAll(op.argument(c, name), " ", "+") == principal.User {
			fields[i].Detail += openapi.LostPlus
		}
		detail = "or this one must be, instead of " + name
	}
	return &problem.Error{Kind: problem.Forbidden, Detail: "A user acts as themselves only; see errors.", Fields: fields}
}

// argument returns the value of a parameter in the path or the query.
func (op *operation) argument(c echo.Context, name string) string {
	if !slices.Contains(c.ParamNames(), name) {
		value, _ := inQuery(c.Request().URL.RawQuery, name)
		return value
	}
	value := c.Param(name)
	if c.Request().URL.RawPath != "" { // otherwise the router matched the decoded path
		value, _ = url.PathUnescape(value) // "" is no user
	}
	return value
}

// inQuery returns the first value of a parameter in a query, and whether there is one: the same as [url.Values] do,
// which would hold all of the query for one value.
func inQuery(query, name string) (value string, has bool) {
	for pair := range strings.SplitSeq(query, "&") {
		key, value, _ := strings.Cut(pair, "=")
		key, err := url.QueryUnescape(key)
		if err != nil || key != name || strings.Contains(pair, ";") {
			continue
		}
		if value, err = url.QueryUnescape(value); err == nil {
			return value, true
		}
	}
	return "", false
}
