// Package panics makes errors of panics. A goroutine of its own, which works for requests, must do that: what recovers the panics
// of requests does not see its panics, which would end the process, and all requests with it.
package panics

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// Err is the error of every panic.
var Err = errors.New("panic")

// AsError replaces an error by a panic of the function that defers it, if there is one.
func AsError(err *error) {
	if cause := recover(); cause != nil {
		*err = fmt.Errorf("%w: %v\n%s", Err, cause, debug.Stack())
	}
}
