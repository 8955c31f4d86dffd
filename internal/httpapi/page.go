package httpapi

import (
	"net/url"
	"strconv"
	"time"

	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/contract"
	"github.com/message-service/message-service/internal/messaging"
)

// window makes a window of the parameters that lists of messages share.
func (h *handlers) window(since, until *time.Time, before, after *server.MessageID, limit *int32) messaging.Window {
	return messaging.Window{
		Since:  since,
		Until:  until,
		Before: (*messaging.ID)(before),
		After:  (*messaging.ID)(after),
		Limit:  h.limit(limit),
	}
}

func (h *handlers) limit(limit *int32) int {
	if limit == nil {
		return h.pageSize
	}
	return int(*limit)
}

// appendMessagePage appends the JSON of [server.MessagePage].
func appendMessagePage(b []byte, page messaging.Page) []byte {
	b = append(b, `{"messages":[`...)
	for i := range page.Messages {
		if i > 0 {
			b = append(b, ',')
		}
		b = contract.AppendMessage(b, &page.Messages[i])
	}
	b = strconv.AppendBool(append(b, `],"hasMore":`...), page.HasMore)
	return append(b, "}\n"...)
}

// nextMessages is the Link header of a page of messages: the same list, from the end of
// the page on, or nil if there is nothing.
func nextMessages(path string, query url.Values, w messaging.Window, limit *int32, page messaging.Page) *string {
	if !page.HasMore {
		return nil
	}
	if w.Since != nil {
		query.Set("since", w.Since.Format(time.RFC3339Nano))
	}
	if w.Until != nil {
		query.Set("until", w.Until.Format(time.RFC3339Nano))
	}
	newest, oldest := page.Messages[0].ID, page.Messages[len(page.Messages)-1].ID
	switch {
	case w.Upward():
		query.Set("after", newest.String())
	case w.After != nil:
		query.Set("after", w.After.String())
		fallthrough
	default:
		query.Set("before", oldest.String())
	}
	return nextLink(path, query, limit)
}

// nextLink is a Link header (RFC 8288).
func nextLink(path string, query url.Values, limit *int32) *string {
	if limit != nil {
		query.Set("limit", strconv.Itoa(int(*limit)))
	}
	link := "<" + path + "?" + query.Encode() + `>; rel="next"`
	return &link
}

// queryOf collects parameters; it leaves out what is empty.
func queryOf(namesAndValues ...string) url.Values {
	query := url.Values{}
	for i := 0; i < len(namesAndValues); i += 2 {
		if namesAndValues[i+1] != "" {
			query.Set(namesAndValues[i], namesAndValues[i+1])
		}
	}
	return query
}

// value is what an optional parameter points to, or the zero value.
func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
