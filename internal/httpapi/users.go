package httpapi

import (
	"bufio"
	"context"
	"net/http"

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
	return userExport{ctx, h.service, h.answers, request.UserID}, nil
}

// userExport streams what concerns a user.
type userExport struct {
	ctx     context.Context //nolint:containedctx // the generated interface hands none to what writes the answer
	service *messaging.Service
	answers *answers
	user    string
}

// VisitExportUserResponse writes the answer. Until the buffer is full for the first
// time, an error can still become a problem document.
func (e userExport) VisitExportUserResponse(w http.ResponseWriter) error {
	if err := wait(e.ctx, e.answers.exports, exportBytes); err != nil {
		return err
	}
	defer e.answers.exports.Release(exportBytes)
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
