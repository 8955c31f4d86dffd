package messaging

import (
	"errors"
	"fmt"

	"github.com/message-service/message-service/internal/db"
)

// Code tells what kind of error an [Error] is.
type Code string

// The codes.
const (
	NotFound             Code = "not found"
	InvalidArgument      Code = "invalid argument"
	IdempotencyKeyReused Code = "idempotency key reused"
	SenderBlocked        Code = "sender blocked"
	MessageDeleted       Code = "message deleted"
	CursorAhead          Code = "cursor ahead"
	TooManyStreams       Code = "too many streams"
	Unavailable          Code = "unavailable"
)

// Error is an error that a caller is told about. Any other error of this package
// is internal: its text is for the log.
type Error struct {
	Code    Code
	Message string  // for the caller: never a submitted value, never a cause
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

// explain gives an unavailable database its code and leaves other errors as they are.
func explain(err error) error {
	if errors.Is(err, db.ErrUnavailable) {
		return &Error{Code: Unavailable, Message: "The database cannot be used at the moment. Try again shortly.", cause: err}
	}
	return err
}
