package httpapi

import (
	"bufio"
	"context"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/messaging"
	"github.com/message-service/message-service/internal/wire"
)

// EraseUser answers DELETE /v1/users/{userId}.
func (h *handlers) EraseUser(ctx context.Context, request server.EraseUserRequestObject) (server.EraseUserResponseObject, error) {
	if err := h.service.EraseUser(ctx, request.UserID); err != nil {
		return nil, err
	}
	return server.EraseUser204Response{}, nil
}

// ExportUser answers GET /v1/users/{userId}/export.
func (h *handlers) ExportUser(ctx context.Context, request server.ExportUserRequestObject) (server.ExportUserResponseObject, error) {
	return userExport{ctx, h.service, request.UserID}, nil
}

// userExport streams what concerns a user.
type userExport struct {
	ctx     context.Context //nolint:containedctx // the generated interface hands none to what writes the answer
	service *messaging.Service
	user    string
}

// VisitExportUserResponse writes the answer. Until the buffer is full for the first
// time, an error can still become a problem document.
func (e userExport) VisitExportUserResponse(w http.ResponseWriter) error {
	w.Header().Set(echo.HeaderContentType, "application/x-ndjson")
	buffer := bufio.NewWriterSize(impatientWriter{w, http.NewResponseController(w)}, 64<<10)
	lines := wire.NewUserWriter(buffer)
	if err := e.service.ExportUser(e.ctx, e.user, lines.Write); err != nil {
		return err
	}
	if err := lines.End(); err != nil {
		return err
	}
	return buffer.Flush()
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

// withoutHaste lifts the server's time limit off operations that take as long as
// there is data. While it erases, nothing is written; an export has its own limit.
func withoutHaste(next server.StrictHandlerFunc, operationID string) server.StrictHandlerFunc {
	if operationID != "EraseUser" && operationID != "ExportUser" {
		return next
	}
	return func(c echo.Context, request any) (any, error) {
		if err := http.NewResponseController(c.Response()).SetWriteDeadline(time.Time{}); err != nil {
			return nil, err
		}
		return next(c, request)
	}
}
