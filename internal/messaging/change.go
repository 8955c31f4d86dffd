package messaging

import "github.com/message-service/message-service/internal/roster"

// Change is the present state of a message, a read marker, a group or a membership (the others are nil), at
// the position of its latest change in a user's feed. A deleted group has neither name nor metadata.
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
	Counts  Counts // of the mailbox at Next; not if HasMore
}

// Counts are what a mailbox has counted: its changes. A reader who knows two counts, and the changes that they
// saw in between, can tell whether there were others.
type Counts struct {
	Own    int64 // transactions with changes other than of groups, or of the user's own memberships
	Groups int64 // changes of groups, each; 0 for a user who was never in one
}

// Position is the end of a feed.
type Position struct {
	Clock ID
	Counts
}
