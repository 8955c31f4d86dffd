package httpapi

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/message-service/message-service/gen/server"
)

// single answers with one thing, whose JSON package contract has written.
type single []byte

// newSingle has room for most messages, so that it seldom grows.
func newSingle[T any](write func([]byte, *T) []byte, thing *T) single {
	return write(make([]byte, 0, 512), thing)
}

var (
	_ server.GetMessageResponseObject      = single(nil)
	_ server.EditMessageResponseObject     = single(nil)
	_ server.GetConversationResponseObject = single(nil)
	_ server.SetReadMarkerResponseObject   = single(nil)
	_ server.SendMessageResponseObject     = sent{}
)

// VisitGetMessageResponse writes the answer.
func (s single) VisitGetMessageResponse(w http.ResponseWriter) error {
	return s.write(w, http.StatusOK)
}

// VisitEditMessageResponse writes the answer.
func (s single) VisitEditMessageResponse(w http.ResponseWriter) error {
	return s.write(w, http.StatusOK)
}

// VisitGetConversationResponse writes the answer.
func (s single) VisitGetConversationResponse(w http.ResponseWriter) error {
	return s.write(w, http.StatusOK)
}

// VisitSetReadMarkerResponse writes the answer.
func (s single) VisitSetReadMarkerResponse(w http.ResponseWriter) error {
	return s.write(w, http.StatusOK)
}

// write writes the answer. It escapes <, > and &, unlike pages, since it always has, and some
// client may compare bytes.
func (s single) write(w http.ResponseWriter, status int) error {
	var body bytes.Buffer
	body.Grow(len(s) + 1)
	json.HTMLEscape(&body, s)
	_ = body.WriteByte('\n')
	w.Header().Set(echo.HeaderContentType, echo.MIMEApplicationJSON)
	w.WriteHeader(status)
	_, err := body.WriteTo(w)
	return err
}

// sent answers with a message that is stored.
type sent struct {
	message  single
	location string
	replayed bool
}

// VisitSendMessageResponse writes the answer.
func (s sent) VisitSendMessageResponse(w http.ResponseWriter) error {
	w.Header().Set(echo.HeaderLocation, s.location)
	if s.replayed {
		w.Header().Set("Idempotent-Replayed", strconv.FormatBool(s.replayed))
	}
	return s.message.write(w, http.StatusCreated)
}
