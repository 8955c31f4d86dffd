package httpapi

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/labstack/echo/v4"
)

// middleware lists what every request passes on the way to its handler, outermost first.
func (s *Server) middleware(document *openapi3.T, options Options) []echo.MiddlewareFunc {
	return []echo.MiddlewareFunc{
		// First: every response and every log line has the id.
		assignRequestID,
		// What comes after asks it for the operation.
		s.beginExchange,
		// Before anything can refuse the request, so that web pages can read the refusal.
		allowOrigins(options.CORSOrigins, document),
		// Around everything that can fail: it writes the response to an error, to log its status.
		s.logAccess,
		// Inside the access log, which then logs the panic as an error.
		s.recoverPanic,
		// Before any other work is done for a request that is not allowed.
		s.refuseCaller(options),
		// Before anything is looked at that only the right caller may know.
		s.authenticate,
		// After it is known whose request it is.
		s.limitRate,
		// Before the body is read and validated, which costs most.
		s.checkAdmission,
		// What comes after relies on the request being valid.
		s.validate,
		// Last: only responses of handlers are compressed.
		s.varyByEncoding,
	}
}

var requestIDPattern = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// assignRequestID sets the X-Request-Id of the response: the client's if it matches requestIDPattern,
// otherwise a random one.
func assignRequestID(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		id := c.Request().Header.Get(echo.HeaderXRequestID)
		if !requestIDPattern.MatchString(id) {
			random := make([]byte, 12)
			rand.Read(random) // never fails
			id = hex.EncodeToString(random)
		}
		header := c.Response().Header()
		header.Set(echo.HeaderXRequestID, id)
		header.Set(echo.HeaderXContentTypeOptions, "nosniff")
		return next(c)
	}
}

func requestID(c echo.Context) string { return c.Response().Header().Get(echo.HeaderXRequestID) }

// logAccess logs each request, successful probes at the debug level. It leaves out the query, which may
// contain a stream ticket, a search or ids of others, and the credential.
func (s *Server) logAccess(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		start := time.Now()
		err := next(c)
		truncated := err != nil && c.Response().Committed
		if err != nil {
			c.Error(err) // writes the response, so that its status is known below
		}
		s.logRequest(c, start, err)
		if truncated {
			panic(http.ErrAbortHandler) // closes the connection: the client must notice that the response is incomplete
		}
		return nil
	}
}

// logRequest writes the line of a request. It gathers nothing for one that the log leaves out.
func (s *Server) logRequest(c echo.Context, start time.Time, err error) {
	request, response := c.Request(), c.Response()
	level := slog.LevelInfo
	x := exchangeIn(c)
	if op := x.operation; op != nil && response.Status == http.StatusOK {
		level = op.logLevel
	}
	if !s.log.Enabled(request.Context(), level) {
		return
	}
	attributes := []slog.Attr{
		slog.String("request_id", requestID(c)),
		slog.String("method", request.Method),
		slog.String("route", c.Path()),
		slog.Int("status", response.Status),
		slog.Int64("bytes", response.Size),
		slog.Float64("duration_ms", float64(time.Since(start).Microseconds())/1000),
		slog.String("remote", c.RealIP()),
	}
	if p := x.principal; p != nil && p.User != "" {
		attributes = append(attributes, slog.String("user", p.User))
	} else if p != nil {
		attributes = append(attributes, slog.String("key", p.Key))
	}
	if err != nil && c.Get(causeLogged) == nil {
		attributes = append(attributes, slog.Any("error", err))
	}
	s.log.LogAttrs(request.Context(), level, "request", attributes...)
}

// recoverPanic converts a panic to an error, so that it does not end the process.
func (s *Server) recoverPanic(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			switch cause := recover(); cause {
			case nil:
			case http.ErrAbortHandler: // net/http closes the connection
				panic(cause)
			default:
				err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
			}
		}()
		return next(c)
	}
}
