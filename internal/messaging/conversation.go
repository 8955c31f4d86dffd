package messaging

// UnreadMax is where the count of unread messages ends: it means so many or more.
const UnreadMax = 100

// Conversation is one user's view of what they and a peer have written to each
// other. It exists while there is a message that is not deleted.
type Conversation struct {
	Peer        string
	LastMessage Message
	Unread      int        // messages from the peer after the marker, at most UnreadMax
	Marker      ReadMarker // zero if there is none
	PeerMarker  ReadMarker // zero if there is none
}

// ReadMarker tells how far a user has read the conversation with a peer.
type ReadMarker struct {
	Owner     string
	Peer      string
	MessageID ID
	Changed   ID
}

// ConversationPage is a part of a user's conversations, the one with the newest
// message first.
type ConversationPage struct {
	Conversations []Conversation
	HasMore       bool
}

// jsonBytes is the length of the conversation as the JSON of the API.
func (c *Conversation) jsonBytes() int {
	n := len(`{"peer":"","lastMessage":,"unreadCount":0}`) + len(c.Peer) + c.LastMessage.JSONBytes()
	for _, marker := range []*ReadMarker{&c.Marker, &c.PeerMarker} {
		if marker.Owner != "" {
			n += len(`,"readMarker":{"user":"","peer":"","messageId":"","readAt":""}`) + idBytes + timeBytes + len(c.Peer) + len(marker.Owner)
		}
	}
	return n
}
