package messaging

// UnreadMax is the greatest count of unread messages; it stands for any number from it on.
const UnreadMax = 100

// Conversation is one user's view of the messages between them and a peer. It exists while
// one of these is not deleted.
type Conversation struct {
	Peer        string
	LastMessage Message
	Unread      int        // messages from the peer after the marker, at most UnreadMax
	Marker      ReadMarker // zero if there is none
	PeerMarker  ReadMarker // zero if there is none
}

// ReadMarker is the last message that its owner has read in the conversation with a peer.
type ReadMarker struct {
	Owner     string
	Peer      string
	MessageID ID
	Changed   ID
}

// ConversationPage is a page of a user's conversations, the one with the newest
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
