package panics

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestLogged has work panic, return the error of a panic, and fail in another way. Of a panic the stack is logged, once, and is not in the
// error, which otherwise says the same.
func TestLogged(t *testing.T) {
	t.Parallel()
	failed := errors.New("failed")
	for name, test := range map[string]struct {
		work   func() error
		want   string
		stacks int
	}{
		"it panics":             {func() error { panic("out of order") }, "panic: out of order", 1},
		"its driver panics":     {func() error { return fmt.Errorf("%w: commit: %w", failed, Of("out of order")) }, "failed: commit: panic: out of order", 1},
		"it fails":              {func() error { return failed }, "failed", 0},
		"it fails in two lines": {func() error { return errors.Join(failed, failed) }, "failed\nfailed", 0},
	} {
		var log bytes.Buffer
		err := func() (err error) {
			defer Logged(slog.New(slog.NewTextHandler(&log, nil)), &err)
			return test.work()
		}()
		if err.Error() != test.want || errors.Is(err, Err) != (test.stacks > 0) || errors.Is(err, failed) != strings.HasPrefix(test.want, "failed") {
			t.Errorf("%s: %v", name, err)
		}
		if stacks := strings.Count(log.String(), "debug.Stack"); stacks != test.stacks {
			t.Errorf("%s: %d stacks are logged:\n%s", name, stacks, &log)
		}
	}
}

// TestRestart has a worker panic each time it is called, until it is to end: it is called every second, and the log has its stack
// once a minute.
func TestRestart(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		ctx, stop := context.WithTimeout(t.Context(), 90*time.Second+time.Millisecond)
		defer stop()
		calls := 0
		Restart(ctx, slog.New(slog.NewTextHandler(&log, nil)), "the worker", func(context.Context) {
			calls++
			panic("out of order")
		})
		if calls != 91 || ctx.Err() == nil {
			t.Errorf("it was called %d times", calls)
		}
		if stacks := strings.Count(log.String(), "TestRestart"); strings.Count(log.String(), "out of order") != 2 || stacks < 2 {
			t.Errorf("logged %s", &log)
		}
	})
}

// TestRestartReturns has a worker return after a panic: it is not called again.
func TestRestartReturns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		Restart(t.Context(), slog.New(slog.DiscardHandler), "the worker", func(context.Context) {
			if calls++; calls == 1 {
				panic("out of order")
			}
		})
		if calls != 2 {
			t.Errorf("it was called %d times", calls)
		}
	})
}
