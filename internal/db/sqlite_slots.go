package db

import (
	"context"
	"time"
)

// read runs fn, which reads, for at most longestRead, not counting its wait for a slot.
func (c *checkpoints) read(ctx context.Context, fn func(context.Context) error) error {
	if lost := c.file.lost.Load(); lost != nil {
		return *lost
	}
	ctx, cancel := context.WithTimeout(ctx, longestRead)
	defer cancel()
	return fn(ctx)
}

// write runs commit, which commits a transaction, with the write slot. It returns an error if the
// files were lost before or during the commit, even if that succeeded.
func (c *checkpoints) write(ctx context.Context, erases bool, commit func() error) error {
	c.pause()
	if err := acquire(ctx, c.writeSlot); err != nil {
		return err
	}
	defer release(c.writeSlot)
	if err := c.file.intact(); err != nil {
		return err
	}
	err := commit()
	if erases { // even after an error, since the transaction may be committed
		c.erased.Store(true)
	}
	signal(c.due)
	if err != nil {
		return err
	}
	if c.copying.Load() != nil {
		state, err := c.checkpoint(c.writer, "NOOP")
		c.crowded.Store(err == nil && state.size > longLog)
	}
	return c.file.intact()
}

// pause is backpressure: it makes a writer wait while a checkpoint cannot keep up with the log.
func (c *checkpoints) pause() {
	if !c.crowded.Load() {
		return
	}
	if ended := c.copying.Load(); ended != nil {
		select {
		case <-*ended:
		case <-time.After(time.Duration(c.passes.Load()) * writersPause):
		}
	}
}

// acquire takes a slot of a FIFO semaphore.
func acquire(ctx context.Context, slots chan struct{}) error {
	select {
	case slots <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func release(slots chan struct{}) { <-slots }
