// Package groupcommit is a group commit: it writes the items of many callers in a few
// transactions, so that one sync to disk serves many items. There is no timer: a lone item is
// written at once.
//
// An item waits in a bounded queue for one of a few writers, each of which takes all items that may
// be written now as a batch. Items with a key in common are written in the order they came, and no
// two batches that are written at the same time share a key. A batch that fails is halved until the
// item at fault is alone, unless writing it has panicked. The caller is answered once the batch of its item is written.
//
// The package knows nothing of what it writes: an [Item] has keys, and the writers call a
// function.
package groupcommit

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/message-service/message-service/internal/panics"
)

// Item is a thing to be written.
type Item interface {
	// Keys are what the item has in common with others. They stay the same while it waits.
	Keys() []string
	// Fail records that the item was not written, and why. After a panic it is called for all items of the batch, of which
	// some may be written.
	Fail(err error)
}

// The reasons why an item was refused (ErrFull, ErrClosed) or its outcome is unknown (ErrTooSlow).
var (
	ErrFull    = errors.New("the queue is full")
	ErrClosed  = errors.New("the queue is closed")
	ErrTooSlow = errors.New("writing takes too long")
)

// MaxBatch is the most items of a batch.
const MaxBatch = 512

// Options configures a [Committer].
type Options[T Item] struct {
	Size    int           // items that may wait
	Writers int           // batches that are written at the same time
	Timeout time.Duration // of [Committer.Do], including the wait in the queue
	Large   bool          // batches are as large as they can be, and not short while few items wait

	// Write writes a batch, and returns the items that it has not written, with the reason.
	Write func(batch []T) (failed []T, err error)
	// FailsAll reports whether an error, such as an outage, fails every item, so that halving
	// the batch is useless.
	FailsAll func(err error) bool

	Log *slog.Logger // for the stacks of panics
}

// Committer writes items in batches. It is safe for concurrent use.
type Committer[T Item] struct {
	options Options[T]
	queue   *queue[T]
	running sync.WaitGroup
}

// Start makes a committer and starts its writers.
func Start[T Item](options Options[T]) *Committer[T] {
	c := &Committer[T]{options: options, queue: newQueue[T](options.Size, options.Large)}
	for range options.Writers {
		c.running.Go(c.run)
	}
	return c
}

// Do queues an item and waits until it is written or its Fail has been called. After [ErrFull]
// and [ErrClosed] the item is not written. After [ErrTooSlow] and the error of ctx it may still be,
// and the writers go on using it.
func (c *Committer[T]) Do(ctx context.Context, item T) error {
	done := make(chan struct{})
	if err := c.queue.put(entry[T]{item, done}); err != nil {
		return err
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(c.options.Timeout):
		return ErrTooSlow
	}
}

// Full reports whether another item would be refused.
func (c *Committer[T]) Full() bool { return c.Waiting() >= c.options.Size }

// Waiting is the number of items in the queue.
func (c *Committer[T]) Waiting() int { return c.queue.length() }

// Close refuses new items and waits, as long as ctx lasts, until those in the queue are
// written. It returns the error of ctx.
func (c *Committer[T]) Close(ctx context.Context) error {
	c.queue.close()
	done := make(chan struct{})
	go func() {
		c.running.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *Committer[T]) run() {
	for batch := c.queue.take(); batch != nil; batch = c.queue.take() {
		items := make([]T, len(batch))
		for i, e := range batch {
			items[i] = e.item
		}
		c.write(items)
		c.queue.release(batch)
		for _, e := range batch {
			close(e.done)
		}
	}
}

// write writes items, and halves a batch that fails. After a panic some may be written, and none is written again.
func (c *Committer[T]) write(items []T) {
	failed, err := c.try(items)
	switch {
	case err == nil:
	case len(failed) > 1 && !c.options.FailsAll(err) && !errors.Is(err, panics.Err):
		c.write(failed[:len(failed)/2])
		c.write(failed[len(failed)/2:])
	default:
		for _, item := range failed {
			item.Fail(err)
		}
	}
}

func (c *Committer[T]) try(items []T) (failed []T, err error) {
	failed = items // if it panics
	defer panics.Logged(c.options.Log, &err)
	return c.options.Write(items)
}
