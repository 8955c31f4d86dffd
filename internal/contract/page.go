package contract

import (
	"slices"
	"strconv"

	"github.com/message-service/message-service/internal/messaging"
)

// messageBytes is about the size of the JSON of a message without its texts.
const messageBytes = 128

// AppendMessagePage appends the JSON of a page of messages to b. It makes room at once: growing by and by, the
// buffer of a large page would be copied a dozen times.
func AppendMessagePage(b []byte, page messaging.Page) []byte {
	bytes := 0
	for i := range page.Messages {
		m := &page.Messages[i]
		bytes += messageBytes + len(m.Sender) + len(m.Recipient) + len(m.Text) + len(m.Metadata)
	}
	b = appendArray(append(slices.Grow(b, bytes), `{"messages":`...), page.Messages, AppendMessage)
	if page.HasMore {
		b = AppendID(append(b, `,"next":`...), page.Next)
	}
	return appendHasMore(b, page.HasMore)
}

// AppendConversationPage appends the JSON of a page of conversations to b.
func AppendConversationPage(b []byte, page messaging.ConversationPage) []byte {
	b = appendArray(append(b, `{"conversations":`...), page.Conversations, AppendConversation)
	if page.HasMore {
		b = AppendID(append(b, `,"next":`...), page.Next)
	}
	return appendHasMore(b, page.HasMore)
}

// AppendChangePage appends the JSON of a page of changes to b.
func AppendChangePage(b []byte, page messaging.ChangePage) []byte {
	b = appendArray(append(b, `{"changes":`...), page.Changes, AppendChange)
	return appendHasMore(AppendID(append(b, `,"next":`...), page.Next), page.HasMore)
}

// AppendBlockPage appends the JSON of a page of blocks to b.
func AppendBlockPage(b []byte, page messaging.BlockPage) []byte {
	b = appendArray(append(b, `{"blocks":`...), page.Blocks, AppendBlock)
	if page.HasMore {
		b = AppendText(append(b, `,"next":`...), page.Next)
	}
	return appendHasMore(b, page.HasMore)
}

func appendArray[T any](b []byte, things []T, appendThing func(b []byte, thing *T) []byte) []byte {
	b = append(b, '[')
	for i := range things {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendThing(b, &things[i])
	}
	return append(b, ']')
}

func appendHasMore(b []byte, hasMore bool) []byte {
	return append(strconv.AppendBool(append(b, `,"hasMore":`...), hasMore), "}\n"...)
}
