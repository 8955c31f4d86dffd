package main

import (
	"context"
	"time"
)

// stream makes an io.Reader or an io.Writer of a function.
type stream func([]byte) (int, error)

// Read calls the function.
func (s stream) Read(b []byte) (int, error) { return s(b) }

// Write calls the function.
func (s stream) Write(b []byte) (int, error) { return s(b) }

// interruptGrace is how long a read or write in progress may still complete after the interrupt.
const interruptGrace = 500 * time.Millisecond

// interruptible makes a read or write return soon after ctx is done, even if it blocks on a pipe. The
// blocked call still uses the buffer then, so the caller must not reuse it.
func interruptible(ctx context.Context, do stream) stream {
	type result struct {
		n   int
		err error
	}
	done := make(chan result, 1)
	return func(b []byte) (int, error) {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		go func() {
			n, err := do(b)
			done <- result{n, err}
		}()
		select {
		case r := <-done:
			return r.n, r.err
		case <-ctx.Done():
		}
		select {
		case r := <-done:
			return r.n, r.err
		case <-time.After(interruptGrace):
			return 0, ctx.Err()
		}
	}
}
