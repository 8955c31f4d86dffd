package messaging

import "github.com/message-service/message-service/internal/roster"

// Change is the present state of a message, a read marker, a group or a membership (the others are nil), at
// the position of its latest change in a user's feed. Of a deleted group only the address is left.
type Change struct {
	Cursor     ID
	Message    *Message
	ReadMarker *ReadMarker
	Group      *roster.Group
	Membership *roster.Membership
}

// ChangePage is a page of a user's feed, the oldest change first. It may be short or empty even if
// HasMore is true.
type ChangePage struct {
	Changes []Change
	Next    ID // the cursor of the next page
	HasMore bool
}
