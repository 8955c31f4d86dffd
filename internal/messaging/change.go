package messaging

// Change is the present state of a message or a read marker (the other is nil), at the position
// of its latest change in a user's feed.
type Change struct {
	Cursor     ID
	Message    *Message
	ReadMarker *ReadMarker
}

// ChangePage is a page of a user's feed, the oldest change first. It may be short or empty even if
// HasMore is true.
type ChangePage struct {
	Changes []Change
	Next    ID // the cursor of the next page
	HasMore bool
}
