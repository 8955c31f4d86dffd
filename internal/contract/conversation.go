package contract

import (
	"strconv"
	"time"

	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/messaging"
)

// AppendConversation appends the JSON of a conversation to b.
func AppendConversation(b []byte, c *messaging.Conversation) []byte {
	b = AppendText(append(b, `{"peer":`...), c.Peer)
	b = AppendID(append(b, `,"position":`...), c.Position)
	if c.Group != (messaging.ConversationGroup{}) {
		b = AppendText(append(b, `,"group":{"name":`...), c.Group.Name)
		b = append(strconv.AppendInt(append(b, `,"memberCount":`...), int64(c.Group.MemberCount), 10), '}')
	}
	if c.LastMessage.ID != (messaging.ID{}) {
		b = AppendMessage(append(b, `,"lastMessage":`...), &c.LastMessage)
	}
	b = strconv.AppendInt(append(b, `,"unreadCount":`...), int64(c.Unread), 10)
	if c.Marker != (messaging.ReadMarker{}) {
		b = AppendReadMarker(append(b, `,"readMarker":`...), &c.Marker)
	}
	if c.PeerMarker != (messaging.ReadMarker{}) {
		b = AppendReadMarker(append(b, `,"peerReadMarker":`...), &c.PeerMarker)
	}
	if c.MutedUntil != nil {
		b = appendTimestamp(append(b, `,"mutedUntil":`...), *c.MutedUntil)
	}
	return append(strconv.AppendBool(append(b, `,"hidden":`...), c.Hidden), '}')
}

// ConversationEdit is what a request asks to replace in a user's view of a conversation.
func ConversationEdit(body *server.UpdateConversationRequest) messaging.ConversationEdit {
	edit := messaging.ConversationEdit{Hidden: body.Hidden}
	switch {
	case body.MutedUntil.IsNull():
		edit.MutedUntil = new((*time.Time)(nil))
	case body.MutedUntil.IsSpecified():
		edit.MutedUntil = new(new(body.MutedUntil.MustGet().UTC().Truncate(time.Millisecond)))
	}
	return edit
}

// AppendReadMarker appends the JSON of a read marker to b.
func AppendReadMarker(b []byte, m *messaging.ReadMarker) []byte {
	b = AppendText(append(b, `{"user":`...), m.Owner)
	b = AppendText(append(b, `,"peer":`...), m.Peer)
	b = AppendID(append(b, `,"messageId":`...), m.MessageID)
	return append(appendTime(append(b, `,"readAt":`...), m.Changed), '}')
}

// ToReadMarker is the read marker that an export has, with the id of its latest change.
func ToReadMarker(m *server.ReadMarker, changed server.MessageID) messaging.ReadMarker {
	return messaging.ReadMarker{Owner: m.User, Peer: m.Peer, MessageID: messaging.ID(m.MessageID), Changed: messaging.ID(changed)}
}
