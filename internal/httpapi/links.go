package httpapi

import (
	"net/url"
	"strconv"
	"time"

	"github.com/message-service/message-service/internal/messaging"
)

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
