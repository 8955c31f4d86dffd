package problem

import (
	"net/http"
	"strings"
)

// Kind is a kind of problem. Its title also makes its type.
type Kind struct {
	Status int
	Title  string
}

// All kinds of problems. The contract lists their types, and the SDKs have constants for those that
// programs distinguish.
var (
	BadRequest           = Kind{http.StatusBadRequest, "Bad Request"}
	CredentialRequired   = Kind{http.StatusUnauthorized, "Credential Required"}
	CredentialInvalid    = Kind{http.StatusUnauthorized, "Credential Invalid"}
	CredentialExpired    = Kind{http.StatusUnauthorized, "Credential Expired"}
	CredentialRevoked    = Kind{http.StatusUnauthorized, "Credential Revoked"}
	Forbidden            = Kind{http.StatusForbidden, "Forbidden"}
	InsufficientScope    = Kind{http.StatusForbidden, "Insufficient Scope"}
	SenderBlocked        = Kind{http.StatusForbidden, "Sender Blocked"}
	NotFound             = Kind{http.StatusNotFound, "Not Found"}
	MethodNotAllowed     = Kind{http.StatusMethodNotAllowed, "Method Not Allowed"}
	NotAcceptable        = Kind{http.StatusNotAcceptable, "Not Acceptable"}
	MessageDeleted       = Kind{http.StatusConflict, "Message Deleted"}
	UserBeingErased      = Kind{http.StatusConflict, "User Being Erased"}
	GroupExists          = Kind{http.StatusConflict, "Group Exists"}
	LimitReached         = Kind{http.StatusConflict, "Limit Reached"}
	GroupTooLarge        = Kind{http.StatusConflict, "Group Too Large"}
	TokenSecretsMissing  = Kind{http.StatusConflict, "Token Secrets Missing"}
	TooManyKeys          = Kind{http.StatusConflict, "Too Many Keys"}
	ContentTooLarge      = Kind{http.StatusRequestEntityTooLarge, "Content Too Large"}
	UnsupportedMediaType = Kind{http.StatusUnsupportedMediaType, "Unsupported Media Type"}
	MisdirectedRequest   = Kind{http.StatusMisdirectedRequest, "Misdirected Request"}
	UnprocessableContent = Kind{http.StatusUnprocessableEntity, "Unprocessable Content"}
	IdempotencyKeyReused = Kind{http.StatusUnprocessableEntity, "Idempotency Key Reused"}
	CursorAhead          = Kind{http.StatusUnprocessableEntity, "Cursor Ahead"}
	TooManyRequests      = Kind{http.StatusTooManyRequests, "Too Many Requests"}
	InternalServerError  = Kind{http.StatusInternalServerError, "Internal Server Error"}
	ServiceUnavailable   = Kind{http.StatusServiceUnavailable, "Service Unavailable"}
)

// retryAfter is the Retry-After header, in seconds, of errors that do not have their own.
var retryAfter = map[Kind]string{TooManyRequests: "5", ServiceUnavailable: "1"}

// Type is the URI by which clients tell problems apart: a prefix, and the title in lower case with
// hyphens.
func (k Kind) Type() string {
	return "urn:problem-type:message-service:" + strings.ReplaceAll(strings.ToLower(k.Title), " ", "-")
}
