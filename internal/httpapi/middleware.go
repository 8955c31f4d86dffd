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

// middleware is what every request passes on its way to its handler, in this order.
func (s *Server) middleware(document *openapi3.T, options Options) []echo.MiddlewareFunc {
	return []echo.MiddlewareFunc{
		// First, since every answer has the id, and every line of the log.
		assignRequestID,
		// Before anything can refuse: a web page may read refusals, too.
		shareAcross(options.CORSOrigins, document),
		// Around all that can fail: it makes the answer to an error, to know its status.
		s.logAccess,
		// Inside the log, which has the panic as an error.
		s.recoverPanic,
		// Before anything else of the request is looked at.
		s.refuseCaller(options),
		// Before the body is read, which is what takes time.
		s.refuseExcess,
		// What comes after need not doubt the request.
		s.validate,
		// Only answers of handlers are compressed.
		s.varyByEncoding,
	}
}

var requestIDPattern = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)

// assignRequestID gives each request an id, the client's own if it is a plain one,
// and puts it on the answer.
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

// logAccess writes a line for each request, for a probe that went well only at the
// debug level. The query is left out: it names users.
func (s *Server) logAccess(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		start := time.Now()
		err := next(c)
		cut := err != nil && c.Response().Committed
		if err != nil {
			c.Error(err) // makes the answer, so that its status is known below
		}
		request, response := c.Request(), c.Response()
		attributes := []slog.Attr{
			slog.String("request_id", requestID(c)),
			slog.String("method", request.Method),
			slog.String("route", c.Path()),
			slog.Int("status", response.Status),
			slog.Int64("bytes", response.Size),
			slog.Float64("duration_ms", float64(time.Since(start).Microseconds())/1000),
			slog.String("remote", c.RealIP()),
		}
		if err != nil && c.Get(causeLogged) == nil {
			attributes = append(attributes, slog.Any("error", err))
		}
		level := slog.LevelInfo
		if op := s.operation(c); op != nil && response.Status == http.StatusOK {
			level = op.logLevel
		}
		s.log.LogAttrs(request.Context(), level, "request", attributes...)
		if cut {
			panic(http.ErrAbortHandler) // what has been sent must not pass for the whole answer
		}
		return nil
	}
}

// recoverPanic makes an error of a panic, so that one request cannot end the others.
func (s *Server) recoverPanic(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) (err error) {
		defer func() {
			switch cause := recover(); cause {
			case nil:
			case http.ErrAbortHandler: // how net/http wants a connection to be cut
				panic(cause)
			default:
				err = fmt.Errorf("panic: %v\n%s", cause, debug.Stack())
			}
		}()
		return next(c)
	}
}
