package messaging

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
