package httpapi

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"github.com/labstack/echo/v4"

	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/httpapi/openapi"
	"github.com/message-service/message-service/internal/identity"
	"github.com/message-service/message-service/internal/messaging"
)

// exchange is what the middleware finds out about a request, and handlers need but the generated interface does not
// pass to them.
type exchange struct {
	header    http.Header
	operation *operation // nil if the path and the method are not part of the contract
	compress  bool       // whether the server compresses answers
	caller    messaging.Caller
	principal *identity.Principal // who makes the request; nil without authentication, and for public operations
}

type exchangeKey struct{}

// exchangeOf returns the exchange from the context of a request.
func exchangeOf(ctx context.Context) *exchange { return ctx.Value(exchangeKey{}).(*exchange) }

// exchangeIn returns the exchange of the request of a context of Echo.
func exchangeIn(c echo.Context) *exchange { return exchangeOf(c.Request().Context()) }

// by returns who changes keys, tokens and revocations: everyone is their operator without authentication.
func (x *exchange) by() *identity.Principal {
	if x.principal == nil && x.caller == messaging.AsService {
		return identity.Operator
	}
	return x.principal
}

// callerOf returns on whose behalf a request is served.
func callerOf(ctx context.Context) messaging.Caller { return exchangeOf(ctx).caller }

// caller returns on whose behalf the requests of a principal are served. Without authentication everyone may
// do what a service may; with it, a request without a principal may do nothing.
func (s *Server) caller(principal *identity.Principal) messaging.Caller {
	switch {
	case principal == nil && s.authenticates:
		return messaging.Caller{}
	case principal != nil && principal.User != "":
		return messaging.AsUser(principal.User)
	}
	return messaging.AsService
}

// beginExchange puts the exchange into the context of the request.
func (s *Server) beginExchange(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		x := &exchange{r.Header, s.operations[c.Path()][r.Method], s.compress, s.caller(nil), nil}
		c.SetRequest(r.WithContext(context.WithValue(r.Context(), exchangeKey{}, x)))
		return next(c)
	}
}

// liftTimeouts lifts the timeouts if the operation has none.
func liftTimeouts(handler server.StrictHandlerFunc, _ string) server.StrictHandlerFunc {
	return func(c echo.Context, request any) (any, error) {
		if exchangeIn(c).operation.noTimeout {
			return withoutTimeouts(c, request, handler)
		}
		return handler(c, request)
	}
}

// wantsStream reports whether the client prefers a stream to a page.
func (x *exchange) wantsStream() bool {
	return openapi.Prefers(x.header, eventStream, echo.MIMEApplicationJSON)
}

// wantsCompressed reports whether the answer may be compressed.
func (x *exchange) wantsCompressed() bool { return x.compress && acceptsGzip(x.header) }

// path is the operation's path in the contract with these values for its parameters, in order.
func (x *exchange) path(values ...string) string {
	if len(values) == 0 {
		return x.operation.Path
	}
	var path strings.Builder
	for segment := range strings.SplitSeq(x.operation.Path[1:], "/") {
		path.WriteByte('/')
		if strings.HasPrefix(segment, "{") {
			segment, values = url.PathEscape(values[0]), values[1:]
		}
		path.WriteString(segment)
	}
	return path.String()
}
