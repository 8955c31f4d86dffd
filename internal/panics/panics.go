// Package panics makes errors of panics. The HTTP server recovers those in the goroutine of a request, and no others: in any
// other goroutine a panic ends the process, and all requests with it. So what works there, for requests or in the background,
// makes an error of it.
package panics

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"
)

const (
	restartPause = time.Second
	logPause     = time.Minute // between two panics of a worker that are logged
)

// Err is the error of every panic.
var Err = errors.New("panic")

// AsError replaces an error by a panic of the function that defers it, if there is one. The error has the stack.
func AsError(err *error) {
	if cause := recover(); cause != nil {
		*err = Of(cause)
	}
}

// Of makes an error, with the stack, of what recover has returned.
func Of(cause any) error { return fmt.Errorf("%w: %v\n%s", Err, cause, debug.Stack()) }

// Logged is [AsError] for work whose error many requests get, each of which logs it: the stack is logged here, once, and the
// error is without it, also if the work has made an error of the panic itself.
func Logged(log *slog.Logger, err *error) {
	if cause := recover(); cause != nil {
		*err = Of(cause)
	}
	if errors.Is(*err, Err) {
		log.Error("work for several requests has panicked", "error", *err)
		*err = withoutStack{*err}
	}
}

// withoutStack is an error of a panic without its stack, which begins in the second line.
type withoutStack struct{ error }

// Error returns the first line.
func (e withoutStack) Error() string {
	line, _, _ := strings.Cut(e.error.Error(), "\n")
	return line
}

// Unwrap returns the whole error.
func (e withoutStack) Unwrap() error { return e.error }

// Restart calls work, which runs until ctx ends, and calls it again a second after each panic. The log has the stack, and the name
// of the worker; of panics that follow within a minute it has none.
func Restart(ctx context.Context, log *slog.Logger, worker string, work func(context.Context)) {
	var logged time.Time
	for {
		err := func() (err error) {
			defer AsError(&err)
			work(ctx)
			return nil
		}()
		if err == nil {
			return
		}
		if time.Since(logged) >= logPause {
			logged = time.Now()
			log.Error("a worker has panicked; it goes on in a second", "worker", worker, "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(restartPause):
		}
	}
}
