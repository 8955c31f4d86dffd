package messaging

import (
	"errors"
	"slices"
)

// changeRow is a change, or a place in a mailbox. A read marker is in the columns of a
// message: its owner is the sender, its peer the recipient.
type changeRow struct {
	mailbox string
	kind    rowKind
	cursor  ID
	Message
}

type rowKind int

// The kinds of rows, in the order they come: first the places, then the changes by their cursors.
const (
	clockRow  rowKind = iota
	walkedRow         // how far changesOf has looked for messages, if not to the end
	messageRow
	markerRow
)

func (r *changeRow) toChange() Change {
	if r.kind == markerRow {
		return Change{Cursor: r.cursor, ReadMarker: &ReadMarker{Owner: r.Sender, Peer: r.Recipient, MessageID: r.ID, Changed: r.cursor}}
	}
	m := r.Message
	return Change{Cursor: r.cursor, Message: &m}
}

// feedLimit is how much of a feed to read.
type feedLimit struct{ changes, bytes int }

// feedSizes are the limits that statements are written for.
var feedSizes = []int{1, 5, 20, 100}

// rows is how many changes of a kind a statement is asked for: one more than is needed, at
// least, to know whether there are more.
func (l feedLimit) rows() int {
	i, _ := slices.BinarySearch(feedSizes, l.changes)
	return feedSizes[i] + 1
}

// all is how many rows of all kinds a statement returns at most, with three places.
func (l feedLimit) all() int { return l.rows() + 3 }

// walkMin is among how many messages a feed looks at least for some that are there as they
// were sent, however few are asked for: else whoever asks for one at a time would come
// forward by so little, where many were edited, that it took tens of thousands of requests.
const walkMin = 200

// walk is among how many messages to look for those that are there as they were sent.
func (l feedLimit) walk() int { return max(walkMin, 2*l.rows()) }

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
