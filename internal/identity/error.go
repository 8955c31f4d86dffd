package identity

import (
	"errors"
	"fmt"

	"github.com/message-service/message-service/internal/db"
)

// Code is the kind of an [Error].
type Code string

// The codes.
const (
	Invalid         Code = "invalid credential"
	Expired         Code = "expired credential"
	Revoked         Code = "revoked credential"
	Forbidden       Code = "forbidden"
	InvalidArgument Code = "invalid argument"
	NotFound        Code = "not found"
	TokensOff       Code = "no token secrets"
	TooMany         Code = "too many keys"
	Unavailable     Code = "unavailable"
)

// Error is an error whose message may be shown to the client. Any other error of this package is internal:
// its text is for the log.
type Error struct {
	Code    Code
	Message string // for the client: never a submitted value, never a cause
	Field   string // of InvalidArgument: the argument at fault, by its name in the API, which Message is about
	cause   error
}

// Error describes the error with its cause, for the log.
func (e *Error) Error() string {
	if e.cause != nil {
		return fmt.Sprintf("%s: %s: %v", e.Code, e.Message, e.cause)
	}
	return string(e.Code) + ": " + e.Message
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

// The refusals of credentials that need no more words.
var (
	errInvalid  = &Error{Code: Invalid, Message: "The credential is not valid."}
	errMistyped = &Error{Code: Invalid, Message: "The service key is cut, or has a typing error."}
	errExpired  = &Error{Code: Expired, Message: "The credential has expired."}
	errRevoked  = &Error{Code: Revoked, Message: "The credential was revoked."}
	errStale    = &Error{Code: Unavailable, Message: "The server cannot find out at the moment whether the credential was revoked. Try again shortly."}
)

func invalidArgument(field, detail string) *Error {
	return &Error{Code: InvalidArgument, Message: detail, Field: field}
}

// explain makes an [Unavailable] error of an unavailable database. It returns other errors as they are.
func explain(err error) error {
	if errors.Is(err, db.ErrUnavailable) {
		return &Error{Code: Unavailable, Message: "The database cannot be used at the moment. Try again shortly.", cause: err}
	}
	return err
}
