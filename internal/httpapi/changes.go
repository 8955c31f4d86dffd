package httpapi

import (
	"context"
	"errors"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/messaging"
	"github.com/message-service/message-service/internal/wire"
)

// ListChanges answers GET /v1/users/{userId}/changes.
func (h *handlers) ListChanges(ctx context.Context, request server.ListChangesRequestObject) (server.ListChangesResponseObject, error) {
	p := request.Params
	after, parameter := (*messaging.ID)(p.After), "after"
	// A resuming EventSource repeats the URL it was opened with, and so an old after.
	switch {
	case p.LastEventID != nil:
		after, parameter = (*messaging.ID)(p.LastEventID), "Last-Event-ID"
	case p.LastEventIDInQuery != nil:
		after, parameter = (*messaging.ID)(p.LastEventIDInQuery), "lastEventId"
	}
	var response server.ListChangesResponseObject
	var err error
	if wantsStream(ctx) {
		response, err = h.streamChanges(ctx, request.UserID, after)
	} else {
		response, err = h.pageChanges(ctx, request.UserID, after, p)
	}
	if e, ok := errors.AsType[*messaging.Error](err); ok && e.Code == messaging.CursorAhead {
		e.Fields = []messaging.Field{{Name: parameter, Detail: "is ahead of the feed"}}
	}
	return response, err
}

func (h *handlers) pageChanges(
	ctx context.Context, user string, after *messaging.ID, p server.ListChangesParams,
) (response server.ListChanges200JSONResponse, err error) {
	var page messaging.ChangePage
	if wait := value(p.Wait); wait > 0 && after != nil {
		waiting, stop := context.WithTimeout(ctx, time.Duration(wait)*time.Second)
		defer stop()
		page, err = h.feed.Wait(waiting, user, *after, h.limit(p.Limit))
	} else {
		page, err = h.service.ListChanges(ctx, user, after, h.limit(p.Limit))
	}
	response.Body = toChangePage(page)
	if page.HasMore {
		response.Headers.Link = nextLink(userPath(user, "changes"), queryOf("after", page.Next.String()), p.Limit)
	}
	return response, err
}

func toChangePage(page messaging.ChangePage) server.ChangePage {
	changes := make([]server.Change, len(page.Changes))
	for i, c := range page.Changes {
		changes[i] = wire.Change(c)
	}
	return server.ChangePage{Changes: changes, Next: server.Cursor(page.Next), HasMore: page.HasMore}
}

type streamKey struct{}

// negotiateStream notes whether the request asks for a stream, which the Accept header
// tells and the generated interface does not hand on.
func negotiateStream(next server.StrictHandlerFunc, operationID string) server.StrictHandlerFunc {
	if operationID != "ListChanges" {
		return next
	}
	return func(c echo.Context, request any) (any, error) {
		if r := c.Request(); prefers(r, eventStream, echo.MIMEApplicationJSON) {
			c.SetRequest(r.WithContext(context.WithValue(r.Context(), streamKey{}, true)))
		}
		return next(c, request)
	}
}

func wantsStream(ctx context.Context) bool { return ctx.Value(streamKey{}) != nil }
