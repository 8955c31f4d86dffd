package messageservice

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"
	"strings"

	"github.com/message-service/message-service/gen/client"
)

// Problem types, to compare with [ProblemError].Type. Later services may have more.
const (
	BadRequest           = "urn:problem-type:message-service:bad-request"
	CredentialRequired   = "urn:problem-type:message-service:credential-required"
	CredentialInvalid    = "urn:problem-type:message-service:credential-invalid"
	CredentialExpired    = "urn:problem-type:message-service:credential-expired"
	CredentialRevoked    = "urn:problem-type:message-service:credential-revoked"
	Forbidden            = "urn:problem-type:message-service:forbidden"
	InsufficientScope    = "urn:problem-type:message-service:insufficient-scope"
	SenderBlocked        = "urn:problem-type:message-service:sender-blocked"
	NotFound             = "urn:problem-type:message-service:not-found"
	MessageDeleted       = "urn:problem-type:message-service:message-deleted"
	UserBeingErased      = "urn:problem-type:message-service:user-being-erased"
	GroupExists          = "urn:problem-type:message-service:group-exists"
	LimitReached         = "urn:problem-type:message-service:limit-reached"
	GroupTooLarge        = "urn:problem-type:message-service:group-too-large"
	ContentTooLarge      = "urn:problem-type:message-service:content-too-large"
	UnprocessableContent = "urn:problem-type:message-service:unprocessable-content"
	IdempotencyKeyReused = "urn:problem-type:message-service:idempotency-key-reused"
	TokenSecretsMissing  = "urn:problem-type:message-service:token-secrets-missing"
	CursorAhead          = "urn:problem-type:message-service:cursor-ahead"
	TooManyRequests      = "urn:problem-type:message-service:too-many-requests"
	ServiceUnavailable   = "urn:problem-type:message-service:service-unavailable"
)

// ProblemError is a problem document (RFC 9457) as an error.
type ProblemError struct{ client.Problem }

// Error says what is wrong, with each field at fault and the id of the request.
func (e *ProblemError) Error() string {
	var text strings.Builder
	fmt.Fprintf(&text, "%d %s: %s", e.Status, e.Title, e.Detail)
	for _, field := range e.Errors {
		for _, place := range []*string{field.Pointer, field.Parameter} {
			if place != nil {
				fmt.Fprintf(&text, " %q %s.", *place, field.Detail)
			}
		}
	}
	fmt.Fprintf(&text, " (%s)", e.Instance)
	return text.String()
}

// Answer has the methods common to all answers of the generated client.
type Answer interface {
	StatusCode() int
	Status() string
	ContentType() string
	GetBody() []byte
}

// Check returns the answer, with an error if it is no success: a [*ProblemError], or
// another error if the body is not a problem document, as from a proxy.
func Check[A Answer](answer A, err error) (A, error) {
	if err != nil || answer.StatusCode() < http.StatusMultipleChoices {
		return answer, err
	}
	return answer, asError(answer.Status(), answer.ContentType(), answer.GetBody())
}

func asError(status, contentType string, body []byte) error {
	problem := &ProblemError{}
	mediaType, _, _ := mime.ParseMediaType(contentType) // empty if it cannot be parsed
	if mediaType != "application/problem+json" || json.Unmarshal(body, &problem.Problem) != nil {
		return fmt.Errorf("answered %s", status)
	}
	return problem
}
