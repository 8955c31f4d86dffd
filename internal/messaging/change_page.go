package messaging

import (
	"errors"
	"slices"
	"strconv"
	"strings"
)

// changeRow is a change or, of a kind below messageRow, a position in the mailbox. A read marker
// is in the columns of a message: its owner is the sender, its peer the recipient. So is, with the clock, what
// the mailbox has counted.
type changeRow struct {
	mailbox string
	kind    rowKind
	cursor  ID
	Message
}

type rowKind int

// The kinds of rows, in the order they come: first the positions, then the changes by their cursors.
const (
	clockRow   rowKind = iota
	scannedRow         // where the scan for messages stopped, if not at the end
	messageRow
	markerRow
	changedRow // of a group: a message that was edited or deleted
	memberRow
	groupRow
)

func (r *changeRow) toChange() Change {
	if r.kind == markerRow {
		return Change{Cursor: r.cursor, ReadMarker: &ReadMarker{Owner: r.Sender, Peer: r.Recipient, MessageID: r.ID, Changed: r.cursor}}
	}
	m := r.Message
	return Change{Cursor: r.cursor, Message: &m}
}

// countsOf reads what the mailbox has counted from its clock's row.
func countsOf(clock *changeRow) (Counts, error) {
	own, err := strconv.ParseInt(clock.Sender, 10, 64)
	if err != nil {
		return Counts{}, err
	}
	text, server, _ := strings.Cut(clock.Recipient, " ")
	groups, err := strconv.ParseInt(text, 10, 64)
	return Counts{Server: server, Own: own, Groups: groups}, err
}

// feedQuery asks for a page of a user's feed after a cursor.
type feedQuery struct {
	user  string
	after ID
	limit feedLimit
}

// feedLimit bounds a page of a feed.
type feedLimit struct{ changes, bytes int }

// feedSizes are the limits of changes for which there is a statement; others are rounded up.
var feedSizes = []int{1, 5, 20, 100}

// rows is how many changes of each kind a statement selects: at least one more than the limit,
// to know whether there are more.
func (l feedLimit) rows() int {
	i, _ := slices.BinarySearch(feedSizes, l.changes)
	return feedSizes[i] + 1
}

// all is the most rows that a statement returns: changes, and three positions.
func (l feedLimit) all() int { return l.rows() + 3 }

// minScan is the least number of messages that a feed scans for unedited ones. Without it, a
// client that asks for one change at a time would need tens of thousands of requests to pass
// as many edited messages.
const minScan = 200

// scan is how many messages to scan for unedited ones.
func (l feedLimit) scan() int { return max(minScan, 2*l.rows()) }

// feedPage makes a page of the rows of one mailbox, in their order.
type feedPage struct {
	limit   feedLimit
	page    ChangePage
	scanned *ID // the position at which the scan for messages stopped; nil if it reached the end
	bytes   int
	rows    int // of all kinds
	full    bool
}

// add adds a row, and reports whether the page is complete.
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
		p.page.Counts, err = countsOf(row)
		return false, err
	case row.kind == scannedRow:
		if p.scanned == nil || row.cursor.Compare(*p.scanned) < 0 {
			p.scanned = new(row.cursor)
		}
		return false, nil
	case last != nil && row.cursor.Compare(last.Cursor) < 0:
		return false, errors.New("the changes of a feed came out of order")
	}
	switch {
	case p.scanned != nil && row.cursor.Compare(*p.scanned) > 0:
		p.full = true // messages beyond the scan may precede it; see end
	case last != nil && row.cursor == last.Cursor: // sent to oneself: selected twice
	case last != nil && (len(p.page.Changes) == p.limit.changes || p.bytes > p.limit.bytes):
		p.page.Next, p.page.HasMore, p.full, p.scanned = last.Cursor, true, true, nil
	default:
		p.page.Changes = append(p.page.Changes, row.toChange())
		p.bytes += changeBytes + row.JSONBytes()
	}
	return p.full, nil
}

// changeBytes is the length of the JSON of a change without the message.
const changeBytes = len(`{"cursor":"","type":"message","message":}`) + idBytes

// end returns the page after the last row.
func (p *feedPage) end() ChangePage {
	last := len(p.page.Changes) - 1
	switch {
	case !p.full && p.rows == p.limit.all(): // the statement's limit, although some rows were duplicates
		p.page.Next, p.page.HasMore = p.page.Changes[last].Cursor, true
	case p.scanned != nil: // an edit or deletion of that message is later in the feed
		p.page.Next, p.page.HasMore = *p.scanned, true
	}
	return p.page
}
