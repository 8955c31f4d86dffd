package messaging

import (
	"errors"
	"fmt"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/mailbox"
)

// Code is the kind of an [Error].
type Code string

// The codes.
const (
	NotFound             Code = "not found"
	InvalidArgument      Code = "invalid argument"
	IdempotencyKeyReused Code = "idempotency key reused"
	SenderBlocked        Code = "sender blocked"
	MessageDeleted       Code = "message deleted"
	UserClosed           Code = "user closed" // the user is being erased
	GroupExists          Code = "group exists"
	LimitReached         Code = "limit reached" // of groups of a user
	GroupTooLarge        Code = "group too large"
	CursorAhead          Code = "cursor ahead"
	TooManyStreams       Code = "too many streams"
	Forbidden            Code = "forbidden"
	Unavailable          Code = "unavailable"
)

// Error is an error whose message may be shown to the client. Any other error of this package
// is internal: its text is for the log.
type Error struct {
	Code    Code
	Message string  // for the client: never a submitted value, never a cause
	Fields  []Field // the arguments at fault, if any
	cause   error
}

// Field is one argument at fault, by its name in the API.
type Field struct {
	Name   string
	Detail string
}

// Error describes the error with its fields and its cause, for the log.
func (e *Error) Error() string {
	text := fmt.Appendf(nil, "%s: %s", e.Code, e.Message)
	for _, field := range e.Fields {
		text = fmt.Appendf(text, "; %s %s", field.Name, field.Detail)
	}
	if e.cause != nil {
		text = fmt.Appendf(text, ": %v", e.cause)
	}
	return string(text)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.cause }

func invalid(name, detail string) *Error {
	return &Error{
		Code:    InvalidArgument,
		Message: "The request breaks a rule; see errors.",
		Fields:  []Field{{Name: name, Detail: detail}},
	}
}

func forbidden(message string, fields ...Field) *Error {
	return &Error{Code: Forbidden, Message: message, Fields: fields}
}

// errUnchanged, returned by the function of a change, rolls it back, so that no mailbox is stamped for nothing. It is
// no error.
var errUnchanged = errors.New("nothing has changed")

func unlessUnchanged(err error) error {
	if errors.Is(err, errUnchanged) {
		return nil
	}
	return err
}

// explain makes an [Unavailable] error of an unavailable database and of the refusals of package
// mailbox. It returns other errors as they are.
func explain(err error) error {
	switch {
	case errors.Is(err, db.ErrUnavailable):
		return &Error{Code: Unavailable, Message: "The database cannot be used at the moment. Try again shortly.", cause: err}
	case errors.Is(err, mailbox.ErrTooMany):
		return unavailable("Too many changes are waiting to be stored. Try again shortly.")
	case errors.Is(err, mailbox.ErrCrowded):
		return unavailable("Too many changes of the same users are waiting to be stored. Try again shortly.")
	case errors.Is(err, mailbox.ErrTooSlow):
		return unavailable("Other changes of the same users take too long. Try again shortly.")
	}
	return err
}

func unavailable(message string) *Error { return &Error{Code: Unavailable, Message: message} }
