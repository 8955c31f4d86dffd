package main

import (
	"context"
	"time"
)

// stream is a reader or a writer, whichever its function is.
type stream func([]byte) (int, error)

// Read reads.
func (s stream) Read(b []byte) (int, error) { return s(b) }

// Write writes.
func (s stream) Write(b []byte) (int, error) { return s(b) }

// interruptGrace is for what is just being done, so that it counts as done.
const interruptGrace = 500 * time.Millisecond

// interruptible makes a read or a write fail soon after ctx has ended, also while it waits
// for whoever is at the other end of a pipe. What it waits for may still use the
// buffer then, so nothing else may.
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
