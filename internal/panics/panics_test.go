package panics

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

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
