package httpapi

import (
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/messaging"
)

// window holds the parameters that lists of messages share.
type window struct {
	since, until  *time.Time
	before, after *server.MessageID
	limit         *int32
}

func (h *handlers) window(w window) messaging.Window {
	return messaging.Window{
		Since:  w.since,
		Until:  w.until,
		Before: (*messaging.ID)(w.before),
		After:  (*messaging.ID)(w.after),
		Limit:  h.limit(w.limit),
	}
}

func (h *handlers) limit(limit *int32) int {
	if limit == nil {
		return h.pageSize
	}
	return int(*limit)
}

// next is the Link header of a page of messages: the same list, from the end of the
// page on, or nil if there is nothing.
func (w window) next(path string, query url.Values, page messaging.Page) *string {
	if !page.HasMore {
		return nil
	}
	if w.since != nil {
		query.Set("since", w.since.Format(time.RFC3339Nano))
	}
	if w.until != nil {
		query.Set("until", w.until.Format(time.RFC3339Nano))
	}
	newest, oldest := page.Messages[0].ID, page.Messages[len(page.Messages)-1].ID
	switch {
	case w.after != nil && w.before == nil:
		query.Set("after", newest.String())
	case w.after != nil:
		query.Set("after", w.after.String())
		fallthrough
	default:
		query.Set("before", oldest.String())
	}
	return nextLink(path, query, w.limit)
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

// userPath is a path below a user.
func userPath(user string, segments ...string) string {
	for i, segment := range segments {
		segments[i] = url.PathEscape(segment)
	}
	return "/v1/users/" + url.PathEscape(user) + "/" + strings.Join(segments, "/")
}

// value is what an optional parameter points to, or the zero value.
func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
