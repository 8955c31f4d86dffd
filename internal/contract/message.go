package contract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/oapi-codegen/nullable"

	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/messaging"
	"github.com/message-service/message-service/internal/words"
)

// Draft is the message that a request asks to send.
func Draft(body *server.SendMessageRequest, params server.SendMessageParams) (messaging.Draft, error) {
	metadata, err := compact(body.Metadata)
	return messaging.Draft{
		Sender:         body.Sender,
		Recipient:      body.Recipient,
		Text:           body.Text,
		Metadata:       metadata,
		ReplyTo:        (*messaging.ID)(body.ReplyTo),
		IdempotencyKey: Value(params.IdempotencyKey),
	}, err
}

// Edit is what a request asks to replace in a message.
func Edit(body *server.EditMessageRequest) (messaging.Edit, error) {
	metadata, err := editMetadata(body.Metadata)
	return messaging.Edit{Text: body.Text, Metadata: metadata}, err
}

// editMetadata is what a request puts in the place of metadata: nil if it leaves them as they are, and "" if it
// removes them.
func editMetadata(metadata nullable.Nullable[json.RawMessage]) (edited *string, err error) {
	switch {
	case metadata.IsNull():
		edited = new("")
	case metadata.IsSpecified():
		var text string
		text, err = compact(metadata.MustGet())
		edited = &text
	}
	return edited, err
}

// AppendMessage appends the JSON of a message to b. encoding/json would take as long for a page as
// the database does.
func AppendMessage(b []byte, m *messaging.Message) []byte {
	return AppendMessageQuoting(b, m, AppendText)
}

// AppendMessageQuoting is [AppendMessage] with another function to write the text as a JSON string.
func AppendMessageQuoting(b []byte, m *messaging.Message, quote func(b []byte, text string) []byte) []byte {
	b = AppendID(append(b, `{"id":`...), m.ID)
	b = AppendText(append(b, `,"sender":`...), m.Sender)
	b = AppendText(append(b, `,"recipient":`...), m.Recipient)
	b = quote(append(b, `,"text":`...), m.Text)
	if m.Metadata != "" {
		b = append(append(b, `,"metadata":`...), m.Metadata...)
	}
	if m.ReplyTo != nil {
		b = AppendID(append(b, `,"replyTo":`...), *m.ReplyTo)
	}
	b = appendTime(append(b, `,"sentAt":`...), m.ID)
	if m.Changed != nil {
		name := `,"editedAt":`
		if m.Deleted {
			name = `,"deletedAt":`
		}
		b = appendTime(append(b, name...), *m.Changed)
	}
	if m.Highlights != nil {
		b = appendArray(append(b, `,"highlights":`...), m.Highlights, appendHighlight)
	}
	return append(b, '}')
}

func appendHighlight(b []byte, span *words.Span) []byte {
	b = strconv.AppendInt(append(b, `{"start":`...), int64(span.Start), 10)
	return append(strconv.AppendInt(append(b, `,"end":`...), int64(span.End), 10), '}')
}

// ToMessage is the message of an export, with the id of its latest change. The times are not
// read, since the ids have them.
func ToMessage(m *server.Message, changed *server.MessageID) (messaging.Message, error) {
	metadata, err := compact(m.Metadata)
	if err == nil && isTooDeep(metadata) {
		err = fmt.Errorf("metadata may have %d levels", messaging.MetadataMaxDepth)
	}
	return messaging.Message{
		ID:        messaging.ID(m.ID),
		Sender:    m.Sender,
		Recipient: m.Recipient,
		Text:      m.Text,
		Metadata:  metadata,
		ReplyTo:   (*messaging.ID)(m.ReplyTo),
		Changed:   (*messaging.ID)(changed),
		Deleted:   m.DeletedAt != nil,
	}, err
}

// compact removes white space and needless escapes from metadata, which may be empty.
func compact(metadata json.RawMessage) (string, error) {
	if len(metadata) == 0 {
		return "", nil
	}
	text, err := jsontext.AppendFormat(nil, metadata)
	if err != nil {
		return "", fmt.Errorf("metadata: %w", err)
	}
	return string(text), nil
}

// isTooDeep reports whether metadata has more than [messaging.MetadataMaxDepth] levels.
func isTooDeep(metadata string) bool {
	decoder := jsontext.NewDecoder(bytes.NewBufferString(metadata))
	for {
		if _, err := decoder.ReadToken(); err != nil {
			return false
		}
		if decoder.StackDepth() > messaging.MetadataMaxDepth {
			return true
		}
	}
}

// Value is what an optional member or parameter points to, or the zero value.
func Value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}
