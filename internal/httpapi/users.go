package httpapi

import (
	"bufio"
	"context"
	"errors"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/archive"
	"github.com/message-service/message-service/internal/messaging"
)

// EraseUser answers DELETE /v1/users/{userId}.
func (h *handlers) EraseUser(ctx context.Context, request server.EraseUserRequestObject) (server.EraseUserResponseObject, error) {
	if err := h.service.EraseUser(ctx, callerOf(ctx), request.UserID); err != nil {
		return nil, err
	}
	return server.EraseUser204Response{}, nil
}

// ExportUser answers GET /v1/users/{userId}/export.
func (h *handlers) ExportUser(ctx context.Context, request server.ExportUserRequestObject) (server.ExportUserResponseObject, error) {
	return userExport{ctx, h.service, h.memory, request.UserID}, nil
}

// userExport streams everything stored about a user.
type userExport struct {
	ctx     context.Context //nolint:containedctx // the generated interface passes no context to the method that writes the response
	service *messaging.Service
	memory  *memoryBudget
	user    string
}

// VisitExportUserResponse writes the answer. Until the buffer is full for the first
// time, an error can still become a problem document.
func (e userExport) VisitExportUserResponse(w http.ResponseWriter) error {
	budget, compressed := int64(exportMaxBytes), exchangeOf(e.ctx).wantsCompressed()
	if compressed {
		budget += compressorBytes
	}
	if err := acquire(e.ctx, e.memory.exports, budget); err != nil {
		return err
	}
	defer e.memory.exports.Release(budget)
	header := w.Header()
	header.Set(echo.HeaderContentType, "application/x-ndjson")
	buffer := bufio.NewWriterSize(deadlineWriter{w, http.NewResponseController(w)}, 64<<10)
	if !compressed {
		if err := archive.ExportUser(e.ctx, e.service, callerOf(e.ctx), e.user, buffer); err != nil {
			return err
		}
		return buffer.Flush()
	}
	header.Set(echo.HeaderContentEncoding, "gzip")
	compressor := newGzip()
	compressor.Reset(buffer)
	if err := archive.ExportUser(e.ctx, e.service, callerOf(e.ctx), e.user, compressor); err != nil {
		return err
	}
	return errors.Join(compressor.Close(), buffer.Flush())
}
