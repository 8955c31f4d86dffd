package messaging

import (
	"errors"
)

// Change is a message or a read marker as it is now, at the place of its latest
// change in the feed of a user; the other is nil.
type Change struct {
	Cursor     ID
	Message    *Message
	ReadMarker *ReadMarker
}

// ChangePage is a part of a user's feed, the oldest change first. It may be short, and even
// empty, while there is more.
type ChangePage struct {
	Changes []Change
	Next    ID // where the feed goes on: everything up to it is in this page or before it
	HasMore bool
}

// feedPage makes a page of the rows of one mailbox, in their order.
type feedPage struct {
	limit  feedLimit
	page   ChangePage
	walked *ID // how far was looked for messages, if not to the end
	bytes  int
	rows   int // of any kind
	full   bool
}

// add adds a row, and reports whether the page needs no more.
func (p *feedPage) add(row *changeRow) (full bool, err error) {
	p.rows++
	if p.full {
		return true, nil
	}
	var last *Change
	if n := len(p.page.Changes); n > 0 {
		last = &p.page.Changes[n-1]
	}
	switch {
	case row.kind == clockRow:
		p.page.Next = row.cursor
		return false, nil
	case row.kind == walkedRow:
		if p.walked == nil || row.cursor.Compare(*p.walked) < 0 {
			p.walked = new(row.cursor)
		}
		return false, nil
	case last != nil && row.cursor.Compare(last.Cursor) < 0:
		return false, errors.New("the changes of a feed came out of order")
	}
	switch {
	case p.walked != nil && row.cursor.Compare(*p.walked) > 0:
		p.full = true // there may be another message before it; see end
	case last != nil && row.cursor == last.Cursor: // both users are the same one
	case last != nil && (len(p.page.Changes) == p.limit.changes || p.bytes > p.limit.bytes):
		p.page.Next, p.page.HasMore, p.full, p.walked = last.Cursor, true, true, nil
	default:
		p.page.Changes = append(p.page.Changes, row.toChange())
		p.bytes += changeBytes + row.JSONBytes()
	}
	return p.full, nil
}

// changeBytes is what a change has of JSON around the message.
const changeBytes = len(`{"cursor":"","type":"message","message":}`) + idBytes

// end returns the page, once there are no more rows.
func (p *feedPage) end() ChangePage {
	last := len(p.page.Changes) - 1
	switch {
	case !p.full && p.rows == p.limit.all(): // some of them twice
		p.page.Next, p.page.HasMore = p.page.Changes[last].Cursor, true
	case p.walked != nil: // what that message became, if anything, is further on
		p.page.Next, p.page.HasMore = *p.walked, true
	}
	return p.page
}
