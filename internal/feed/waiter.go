package feed

import (
	"context"
	"time"
)

// Waiter is how a stream waits.
type Waiter interface {
	// Wake ends a Wait: if there is none, the next one. It does not block.
	Wake()

	// Wait waits for a Wake, and then returns nil. It returns [context.DeadlineExceeded] at a time, if that is not zero, and an
	// error once ctx has ended, or the stream has to end for another reason.
	Wait(ctx context.Context, until time.Time) error
}

// channel is the Waiter that a stream has at first.
type channel struct {
	ready    chan struct{}   // holds one after a Wake
	draining context.Context //nolint:containedctx // it is the hub's
}

// Wake puts one into the channel.
func (c *channel) Wake() { signal(c.ready) }

// Wait waits for it.
func (c *channel) Wait(ctx context.Context, until time.Time) error {
	var passed <-chan time.Time
	if !until.IsZero() {
		timer := time.NewTimer(time.Until(until))
		defer timer.Stop()
		passed = timer.C
	}
	select {
	case <-c.ready:
		return nil
	case <-passed:
		return context.DeadlineExceeded
	case <-ctx.Done():
		return ctx.Err()
	case <-c.draining.Done():
		return ErrClosing
	}
}

// WaitBy has the stream wait by w.
func (s *Stream) WaitBy(w Waiter) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiter = w
}

// Pause waits until a time, whatever comes. Errors: as Next.
func (s *Stream) Pause(ctx context.Context, until time.Time) (err error) {
	for err == nil {
		err = s.waiter.Wait(ctx, until)
	}
	return err
}
