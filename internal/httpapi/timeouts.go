package httpapi

import (
	"errors"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/message-service/message-service/gen/server"
)

// writeTimeout bounds each write of an operation with x-timeout: none, which the timeouts of http.Server
// do not apply to.
const writeTimeout = 30 * time.Second

// withoutTimeouts calls a handler without the read and write timeouts of http.Server. The response that
// it returns has writeTimeout.
func withoutTimeouts(c echo.Context, request any, handler server.StrictHandlerFunc) (any, error) {
	controller := http.NewResponseController(c.Response())
	err := controller.SetWriteDeadline(time.Time{})
	if c.Request().ContentLength == 0 { // with a body, the deadline ends net/http's read of the rest
		err = errors.Join(err, controller.SetReadDeadline(time.Time{})) // an expired one would cancel the request's context
	}
	if err != nil {
		return nil, err
	}
	response, err := handler(c, request)
	return response, errors.Join(err, controller.SetWriteDeadline(time.Now().Add(writeTimeout)))
}

// deadlineWriter gives each write a deadline of writeTimeout.
type deadlineWriter struct {
	w          http.ResponseWriter
	controller *http.ResponseController
}

// Write renews the deadline and writes.
func (w deadlineWriter) Write(b []byte) (int, error) {
	if err := w.controller.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return 0, err
	}
	return w.w.Write(b)
}
