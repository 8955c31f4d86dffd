package contract

import (
	"time"

	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/messaging"
)

// Query is what the parameters of a list of messages select.
func Query(p server.ListMessagesParams) messaging.Query {
	return messaging.Query{
		Recipient: Value(p.Recipient),
		Sender:    Value(p.Sender),
		Words:     Value(p.Q),
		Highlight: Value(p.Highlight),
		Window:    window(p.Since, p.Until, p.Before, p.After, p.Limit),
	}
}

// ConversationQuery is what the parameters of a list of the messages of two users select, without the users.
func ConversationQuery(p server.ListConversationMessagesParams) messaging.Query {
	return messaging.Query{
		Words:     Value(p.Q),
		Highlight: Value(p.Highlight),
		Window:    window(p.Since, p.Until, p.Before, p.After, p.Limit),
	}
}

// UserQuery is what the parameters of a search of all that a user can see select.
func UserQuery(p server.SearchMessagesParams) messaging.Query {
	return messaging.Query{Words: p.Q, Highlight: Value(p.Highlight), Window: window(p.Since, p.Until, p.Before, nil, p.Limit)}
}

func window(since, until *time.Time, before, after *server.MessageID, limit *int32) messaging.Window {
	return messaging.Window{Since: since, Until: until, Before: (*messaging.ID)(before), After: (*messaging.ID)(after), Limit: PageSize(limit)}
}
