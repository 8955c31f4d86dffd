package httpapi

import (
	"errors"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/message-service/message-service/gen/server"
)

// writeTimeout is how long a client may take for what is written to it without a time limit of the
// server.
const writeTimeout = 30 * time.Second

// withoutTimeouts calls the handler of an operation that takes as long as there is data, without the
// time limits of the server. While it waits, nothing is written; its answer has a limit of its own.
func withoutTimeouts(c echo.Context, request any, handler server.StrictHandlerFunc) (any, error) {
	controller := http.NewResponseController(c.Response())
	err := controller.SetWriteDeadline(time.Time{})
	if c.Request().ContentLength == 0 { // else net/http waits for a body that nobody needs
		err = errors.Join(err, controller.SetReadDeadline(time.Time{})) // it would end the request's context
	}
	if err != nil {
		return nil, err
	}
	response, err := handler(c, request)
	return response, errors.Join(err, controller.SetWriteDeadline(time.Now().Add(writeTimeout)))
}

// deadlineWriter gives up on a client that takes longer than writeTimeout for one write.
type deadlineWriter struct {
	w          http.ResponseWriter
	controller *http.ResponseController
}

// Write sets the deadline anew, and writes.
func (w deadlineWriter) Write(b []byte) (int, error) {
	if err := w.controller.SetWriteDeadline(time.Now().Add(writeTimeout)); err != nil {
		return 0, err
	}
	return w.w.Write(b)
}
