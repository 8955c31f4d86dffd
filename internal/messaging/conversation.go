package messaging

import (
	"time"
)

// UnreadMax is the greatest count of unread messages; it stands for any number from it on.
const UnreadMax = 100

// unreadScan is how many of the newest messages of a group are looked at for unread ones.
const unreadScan = 200

// Conversation is one user's view of the messages between them and a peer, or in a group of which they are a
// member. The one with a peer exists while one of these is not deleted, and as long as the user mutes it. A mute that is over
// is gone.
type Conversation struct {
	Peer        string     // a user or a group
	Position    ID         // its place among the user's conversations: the last message, or since when they are a member
	LastMessage Message    // that the user may see; of a group, the zero value if there is none
	Unread      int        // messages of others after the marker, at most UnreadMax
	Marker      ReadMarker // zero if there is none
	PeerMarker  ReadMarker // zero if there is none, as in a group
	MutedUntil  *time.Time
	Hidden      bool              // from the inbox, until there is a newer message
	Group       ConversationGroup // the zero value if the peer is a user
}

// ConversationGroup is the group in which a conversation is.
type ConversationGroup struct {
	Name        string
	MemberCount int
}

// ConversationSettings are what a user has set for a conversation with another user. For one in a group they are
// in the membership.
type ConversationSettings struct {
	Owner       string
	Peer        string
	LastMessage ID
	MutedUntil  *time.Time
	Hidden      *ID // up to which message it is hidden
}

// unlessOver returns until when a conversation is muted, or nil if that is past.
func unlessOver(mutedUntil *time.Time, now time.Time) *time.Time {
	if mutedUntil != nil && mutedUntil.After(now) {
		return mutedUntil
	}
	return nil
}

func (s *ConversationSettings) isEmpty() bool { return s.MutedUntil == nil && s.Hidden == nil }

// ConversationEdit is what to replace in a user's view of a conversation.
type ConversationEdit struct {
	MutedUntil **time.Time // nil leaves it as it is; a pointer to nil removes it
	Hidden     *bool       // nil leaves it as it is
}

// Unread is what a user has not read, of conversations that are neither muted nor hidden.
type Unread struct {
	Conversations int // that have unread messages, at most UnreadMax
	Messages      int // the sum of their counts
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
	Next          ID // if there are more: the position of the last one, the cursor of the next page
}

// InboxQuery selects conversations of a user, the one with the newest message first.
type InboxQuery struct {
	Hidden bool // those that are hidden, instead of those that are not
	Before *ID  // exclusive; those at lower positions
	Limit  int
}

// jsonBytes is the length of the conversation as the JSON of the API.
func (c *Conversation) jsonBytes() int {
	n := len(`{"peer":"","position":"","unreadCount":0,"hidden":false,"mutedUntil":""}`) + len(c.Peer) + idBytes + timeBytes
	if c.Group != (ConversationGroup{}) {
		n += len(`,"group":{"name":"","memberCount":10000}`) + escapedBytes(c.Group.Name)
	}
	if c.LastMessage.ID != (ID{}) {
		n += len(`,"lastMessage":`) + c.LastMessage.JSONBytes()
	}
	for _, marker := range []*ReadMarker{&c.Marker, &c.PeerMarker} {
		if marker.Owner != "" {
			n += len(`,"readMarker":{"user":"","peer":"","messageId":"","readAt":""}`) + idBytes + timeBytes + len(c.Peer) + len(marker.Owner)
		}
	}
	return n
}
