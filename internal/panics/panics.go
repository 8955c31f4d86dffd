// Package panics makes errors of panics. A goroutine of its own, which works for requests, must do that: what recovers the panics
// of requests does not see its panics, which would end the process, and all requests with it.
package panics

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
)

// Err is the error of every panic.
var Err = errors.New("panic")

// AsError replaces an error by a panic of the function that defers it, if there is one. The error has the stack.
func AsError(err *error) {
	if cause := recover(); cause != nil {
		*err = fmt.Errorf("%w: %v\n%s", Err, cause, debug.Stack())
	}
}

// Logged is [AsError] for work whose error many requests get, each of which logs it: the stack is logged here, once, and the
// error is without it.
func Logged(log *slog.Logger, err *error) {
	if cause := recover(); cause != nil {
		*err = fmt.Errorf("%w: %v", Err, cause)
		log.Error("work for several requests has panicked", "error", fmt.Sprintf("%v\n%s", *err, debug.Stack()))
	}
}
