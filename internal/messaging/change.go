package messaging

import (
	"github.com/message-service/message-service/internal/mailbox"
	"github.com/message-service/message-service/internal/roster"
)

// Change is the present state of a message, a read marker, a group or a membership (the others are nil), at
// the position of its latest change in a user's feed. A deleted group has neither name nor metadata.
type Change struct {
	Cursor     ID
	Message    *Message
	ReadMarker *ReadMarker
	Group      *roster.Group
	Membership *roster.Membership
}

// group is the group in which something has changed.
func (c *Change) group() string {
	switch {
	case c.Message != nil:
		return c.Message.Recipient
	case c.Membership != nil:
		return c.Membership.Group
	}
	return c.Group.Address
}

// bytes is about the length of the JSON of a change.
func (c *Change) bytes() int {
	switch {
	case c.Message != nil:
		return changeBytes + c.Message.JSONBytes()
	case c.Group != nil:
		return 2*changeBytes + len(c.Group.Name) + len(c.Group.Metadata)
	}
	return 2 * changeBytes
}

// ChangePage is a page of a user's feed, the oldest change first. It may be short or empty even if
// HasMore is true.
type ChangePage struct {
	Changes []Change
	Next    ID // the cursor of the next page
	HasMore bool
	Counts  Counts // of the mailbox at Next; not if HasMore
}

// Counts are what a mailbox has counted.
type Counts = mailbox.Counts

// Position is the end of a feed.
type Position = mailbox.Position

// Stored is all that a transaction has changed in a mailbox.
type Stored struct {
	Position          // of the mailbox, after the transaction
	Changes  []Change // in the order of the feed
}
