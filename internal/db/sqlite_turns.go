package db

import (
	"context"
	"time"
)

// read runs fn, which reads and has a time of its own for that, whatever it has waited.
func (c *checkpoints) read(ctx context.Context, fn func(context.Context) error) error {
	if lost := c.file.lost.Load(); lost != nil {
		return *lost
	}
	ctx, cancel := context.WithTimeout(ctx, longestRead)
	defer cancel()
	return fn(ctx)
}

// write runs commit, which commits a transaction, once it is its turn. The error says so
// if what it has committed is in no file that will be found again.
func (c *checkpoints) write(ctx context.Context, erases bool, commit func() error) error {
	c.pause()
	if err := acquire(ctx, c.turn); err != nil {
		return err
	}
	defer release(c.turn)
	if err := c.file.intact(); err != nil {
		return err
	}
	err := commit()
	if erases { // whatever is said of it
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

// pause lets a writer wait for a checkpoint that is behind.
func (c *checkpoints) pause() {
	if !c.crowded.Load() {
		return
	}
	if ended := c.copying.Load(); ended != nil {
		select {
		case <-*ended:
		case <-time.After(writersPause):
		}
	}
}

// acquire takes one of as many turns as the channel has room for, in the order they came.
func acquire(ctx context.Context, turns chan struct{}) error {
	select {
	case turns <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func release(turns chan struct{}) { <-turns }
