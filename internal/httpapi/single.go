package httpapi

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/message-service/message-service/gen/server"
)

// single is the JSON of one resource, and implements the generated response interfaces that answer
// with one.
type single []byte

// newSingle encodes a resource. Its buffer is large enough for most messages.
func newSingle[T any](encode func([]byte, *T) []byte, resource *T) single {
	return encode(make([]byte, 0, 512), resource)
}

var (
	_ server.GetMessageResponseObject         = single(nil)
	_ server.EditMessageResponseObject        = single(nil)
	_ server.GetConversationResponseObject    = single(nil)
	_ server.SetReadMarkerResponseObject      = single(nil)
	_ server.SendMessageResponseObject        = sent{}
	_ server.GetGroupResponseObject           = single(nil)
	_ server.UpdateGroupResponseObject        = single(nil)
	_ server.AddGroupMembersResponseObject    = single(nil)
	_ server.SetGroupMemberResponseObject     = single(nil)
	_ server.UpdateConversationResponseObject = single(nil)
	_ server.ListReadersResponseObject        = single(nil)
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

// VisitUpdateConversationResponse writes the answer.
func (s single) VisitUpdateConversationResponse(w http.ResponseWriter) error {
	return s.write(w, http.StatusOK)
}

// VisitSetReadMarkerResponse writes the answer.
func (s single) VisitSetReadMarkerResponse(w http.ResponseWriter) error {
	return s.write(w, http.StatusOK)
}

// VisitGetGroupResponse writes the answer.
func (s single) VisitGetGroupResponse(w http.ResponseWriter) error { return s.write(w, http.StatusOK) }

// VisitUpdateGroupResponse writes the answer.
func (s single) VisitUpdateGroupResponse(w http.ResponseWriter) error {
	return s.write(w, http.StatusOK)
}

// VisitAddGroupMembersResponse writes the answer.
func (s single) VisitAddGroupMembersResponse(w http.ResponseWriter) error {
	return s.write(w, http.StatusOK)
}

// VisitSetGroupMemberResponse writes the answer.
func (s single) VisitSetGroupMemberResponse(w http.ResponseWriter) error {
	return s.write(w, http.StatusOK)
}

// VisitListReadersResponse writes the answer.
func (s single) VisitListReadersResponse(w http.ResponseWriter) error {
	return s.write(w, http.StatusOK)
}

// write writes the response. Unlike pages it escapes <, > and &: it always has, and a client may compare
// bytes.
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

// sent is the response to a send, with the stored message.
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
