package httpapi

import (
	"net/url"
	"strconv"
	"time"

	"github.com/message-service/message-service/internal/messaging"
)

// nextMessages returns the Link header of a page of messages, which leads to the next page, or nil on
// the last page.
func nextMessages(path string, q messaging.Query, limit *int32, page messaging.Page) *string {
	if !page.HasMore {
		return nil
	}
	query := queryOf("recipient", q.Recipient, "sender", q.Sender, "q", q.Words)
	if q.Highlight {
		query.Set("highlight", "true")
	}
	if q.Since != nil {
		query.Set("since", q.Since.Format(time.RFC3339Nano))
	}
	if q.Until != nil {
		query.Set("until", q.Until.Format(time.RFC3339Nano))
	}
	next := page.Next.String()
	switch {
	case q.Upward():
		query.Set("after", next)
	case q.After != nil:
		query.Set("after", q.After.String())
		fallthrough
	default:
		query.Set("before", next)
	}
	return nextLink(path, query, limit)
}

// nextLink returns a Link header (RFC 8288) with the relation next.
func nextLink(path string, query url.Values, limit *int32) *string {
	if limit != nil {
		query.Set("limit", strconv.Itoa(int(*limit)))
	}
	link := "<" + path + "?" + query.Encode() + `>; rel="next"`
	return &link
}

// queryOf makes query parameters of pairs of name and value, without those whose value is empty.
func queryOf(namesAndValues ...string) url.Values {
	query := url.Values{}
	for i := 0; i < len(namesAndValues); i += 2 {
		if namesAndValues[i+1] != "" {
			query.Set(namesAndValues[i], namesAndValues[i+1])
		}
	}
	return query
}
