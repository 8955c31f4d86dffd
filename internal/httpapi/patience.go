package httpapi

import (
	"errors"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/message-service/message-service/gen/server"
)

// withoutTimeouts lifts the server's time limits off operations that take as long as
// there is data. While they wait, nothing is written; their answer has a limit of its own.
func (s *Server) withoutTimeouts(next server.StrictHandlerFunc, _ string) server.StrictHandlerFunc {
	return func(c echo.Context, request any) (any, error) {
		if !s.operation(c).noTimeout {
			return next(c, request)
		}
		controller := http.NewResponseController(c.Response())
		err := controller.SetWriteDeadline(time.Time{})
		if c.Request().ContentLength == 0 { // else net/http waits for a body that nobody needs
			err = errors.Join(err, controller.SetReadDeadline(time.Time{})) // it would end the request's context
		}
		if err != nil {
			return nil, err
		}
		response, err := next(c, request)
		return response, errors.Join(err, controller.SetWriteDeadline(time.Now().Add(patience)))
	}
}

// impatientWriter gives up on a client that does not read.
type impatientWriter struct {
	w          http.ResponseWriter
	controller *http.ResponseController
}

const patience = 30 * time.Second

// Write writes b within patience.
func (w impatientWriter) Write(b []byte) (int, error) {
	if err := w.controller.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return 0, err
	}
	return w.w.Write(b)
}
