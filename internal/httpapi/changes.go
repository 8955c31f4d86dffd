package httpapi

import (
	"context"
	"errors"
	"time"

	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/contract"
	"github.com/message-service/message-service/internal/messaging"
)

// ListChanges answers GET /v1/users/{userId}/changes.
func (h *handlers) ListChanges(ctx context.Context, request server.ListChangesRequestObject) (server.ListChangesResponseObject, error) {
	p := request.Params
	after, parameter := (*messaging.ID)(p.After), "after"
	// An EventSource reconnects with its original URL, so Last-Event-ID is newer than after.
	switch {
	case p.LastEventID != nil:
		after, parameter = (*messaging.ID)(p.LastEventID), "Last-Event-ID"
	case p.LastEventIDInQuery != nil:
		after, parameter = (*messaging.ID)(p.LastEventIDInQuery), "lastEventId"
	}
	if exchangeOf(ctx).wantsStream() {
		stream, err := h.streamChanges(ctx, request.UserID, after)
		return stream, nameCursor(err, parameter)
	}
	if wait := contract.Value(p.Wait); wait > 0 && after != nil {
		waiting, stop := context.WithTimeout(ctx, time.Duration(wait)*time.Second)
		defer stop()
		from, err := h.feed.Wait(waiting, callerOf(ctx), request.UserID, *after)
		if err == nil {
			err = h.credentialOf(ctx).check()
		}
		if err != nil {
			return nil, nameCursor(err, parameter)
		}
		after = &from
	}
	return h.page(ctx, func(body []byte) ([]byte, *string, error) {
		page, err := h.service.ListChanges(ctx, callerOf(ctx), request.UserID, after, contract.PageSize(p.Limit), messaging.PageMaxBytes)
		var link *string
		if page.HasMore {
			link = nextLink(exchangeOf(ctx).path(request.UserID), queryOf("after", page.Next.String()), p.Limit)
		}
		return contract.AppendChangePage(body, page), link, nameCursor(err, parameter)
	}), nil
}

// nameCursor names the parameter at fault if a cursor is ahead of the feed.
func nameCursor(err error, parameter string) error {
	if e, ok := errors.AsType[*messaging.Error](err); ok && e.Code == messaging.CursorAhead {
		e.Fields = []messaging.Field{{Name: parameter, Detail: "is ahead of the feed"}}
	}
	return err
}
