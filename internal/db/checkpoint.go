package db

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/panics"
)

const (
	// checkpointInterval is how often the size of the log is checked while there are commits.
	checkpointInterval = 50 * time.Millisecond

	// checkpointSize is the size of the log in bytes at which a checkpoint is due. A page
	// changed by many commits is copied once, so a larger log is cheaper for sends. Its price is disk space,
	// and time: a read looks for each page in every 4,096 frames of the log, and the start after a crash copies all of it.
	checkpointSize = 128 << 20

	// checkpointRest is how many bytes may be left to copy while writers wait.
	checkpointRest = 3 << 20

	// longLog is the size of the log in bytes from which writers feel backpressure during a
	// checkpoint: each waits for at most writersPause, twice that in its second pass, and so on.
	longLog, writersPause = 192 << 20, 100 * time.Millisecond

	// wipeInterval is the least time between two truncations of a log that may have erased
	// data. Truncating more often would slow writers down: overwriting a log is faster than
	// extending it.
	wipeInterval = time.Second

	// longestRead limits one read, since the log cannot restart during a read.
	longestRead = 2 * time.Second

	// readersTimeout is how long a checkpoint waits for reads to end, while writers wait.
	readersTimeout = 50 * time.Millisecond

	// retryInterval is the least time between two attempts, each of which blocks writers.
	retryInterval = 250 * time.Millisecond

	// errorInterval is the same after one that ended with an error, as on a full disk: it may have written much before.
	errorInterval = 2 * time.Second

	// stuckReported is how long checkpoints must fail before that is reported.
	stuckReported = 4 * time.Second

	// closeTimeout bounds the wait for connections that are still in use when the database
	// is closed.
	closeTimeout = 10 * time.Second
)

// checkpoints copies commits from the write-ahead log of a SQLite database into its file in the
// background, so that the log can restart. SQLite's automatic checkpoints run within a commit,
// which then waits for the whole checkpoint.
type checkpoints struct {
	file      *sqliteFile
	log       *slog.Logger
	pool      *sqlx.DB // of the anchor connection, which is closed last
	writer    *sqlx.DB
	readSlots chan struct{} // semaphore of reads
	writeSlot chan struct{} // semaphore of writes, for one
	due       chan struct{} // has an element after a commit
	stop      context.CancelFunc
	ended     chan struct{}

	erased  atomic.Bool                   // the log may have erased data, and is to be truncated
	copying atomic.Pointer[chan struct{}] // closed at the end of the checkpoint in progress; nil without one
	crowded atomic.Bool                   // the log exceeds longLog during that checkpoint
	passes  atomic.Int64                  // of that checkpoint over the log

	mu       sync.Mutex
	wiped    time.Time // of the last truncation
	failures int       // in a row
	since    time.Time // of the first of those
	failed   time.Time // of the last of those
	broken   bool      // the last of those was an error, and not that others use the log
	reported bool
}

func (c *checkpoints) start() {
	ctx, stop := context.WithCancel(context.Background())
	c.stop = stop
	go func() {
		defer close(c.ended)
		panics.Restart(ctx, c.log, "the checkpoints of SQLite", c.loop)
	}()
}

// loop runs when there are commits, until ctx ends.
func (c *checkpoints) loop(ctx context.Context) {
	ticker := time.NewTicker(checkpointInterval)
	defer ticker.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-c.due:
			c.runDue(ctx)
			select {
			case <-ctx.Done():
			case <-ticker.C:
			}
		}
	}
}

// runDue runs, and sees to it that another run follows if it must, or if this one panics.
func (c *checkpoints) runDue(ctx context.Context) {
	again := true
	defer func() {
		if again {
			signal(c.due)
		}
	}()
	again = c.run(ctx)
}

func signal(sign chan<- struct{}) {
	select {
	case sign <- struct{}{}:
	default:
	}
}

// close makes a last checkpoint, closes the anchor connection, and waits until all others are
// closed: closing the last one removes the log. That would make a checkpoint too, but would not
// report its failure. If a file was overwritten, that checkpoint would destroy the new content, so
// the connection then stays open until the process ends.
func (c *checkpoints) close() error {
	c.stop()
	<-c.ended
	var err error
	if c.file.isOpen() && c.file.intact() == nil {
		mode := "PASSIVE"
		if c.erased.Load() { // the log stays if another process has it open
			mode = "TRUNCATE"
		}
		_, err = c.checkpoint(c.pool, mode)
	}
	if c.file.isOverwritten() {
		return c.file.forget()
	}
	err = errors.Join(err, c.file.forget(), c.pool.Close())
	closed := make(chan struct{})
	go func() {
		c.file.open.Wait()
		close(closed)
	}()
	select {
	case <-closed:
		return err
	case <-time.After(closeTimeout):
		return errors.Join(err, errors.New("connections to the SQLite database are still in use"))
	}
}

// run makes a checkpoint if one is due, and reports whether to run again even without a new
// commit.
func (c *checkpoints) run(ctx context.Context) (again bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.file.intact() != nil {
		return false
	}
	if pause := time.Since(c.failed); pause < retryInterval || c.broken && pause < errorInterval {
		return true
	}
	wipe := c.erased.Load() && time.Since(c.wiped) >= wipeInterval
	state, err := c.checkpoint(c.pool, "NOOP")
	if err == nil && state.size < checkpointSize && !wipe {
		return c.erased.Load()
	}
	done := false
	if err == nil {
		if wipe {
			c.erased.Store(false) // before the checkpoint, so that erasures during it count for the next one
		}
		done, err = c.empty(ctx, wipe)
	}
	switch {
	case wipe && done:
		c.wiped = time.Now()
	case wipe:
		c.erased.Store(true)
	}
	if ctx.Err() == nil {
		c.report(done, err)
	}
	_ = c.file.intact() // records the new state of the files; it logs its own errors
	return c.erased.Load() || !done
}

// truncate makes a checkpoint that truncates the log.
func (c *checkpoints) truncate(ctx context.Context) {
	c.erased.Store(true)
	c.run(ctx)
}

// report logs when the log could not be emptied for stuckReported, and when that is over.
func (c *checkpoints) report(done bool, err error) {
	if done {
		if c.reported {
			c.log.Info("the write-ahead log of the SQLite database could be emptied again")
		}
		c.failures, c.broken, c.reported = 0, false, false
		return
	}
	c.failed, c.broken = time.Now(), err != nil
	if c.failures++; c.failures == 1 {
		c.since = c.failed
	}
	if !c.reported && time.Since(c.since) > stuckReported {
		c.reported = true
		const what = "the write-ahead log of the SQLite database cannot be emptied, so that it grows and keeps erased data"
		if err != nil {
			c.log.Warn(what, "since", c.since, "error", err)
		} else {
			c.log.Warn(what+": most likely another process reads it in a transaction that is left open", "since", c.since)
		}
	}
}

// empty makes a checkpoint: it copies most of the log beside readers and writers, and the rest
// while writers wait. Then the log restarts at the next write; with wipe it is truncated too.
func (c *checkpoints) empty(ctx context.Context, wipe bool) (done bool, err error) {
	ended := make(chan struct{})
	c.copying.Store(&ended)
	defer func() {
		c.copying.Store(nil)
		c.crowded.Store(false)
		close(ended)
	}()
	if c.failures%10 == 1 && !c.broken { // overlapping reads may leave no gap by themselves: block new ones
		for range cap(c.readSlots) {
			if err := acquire(ctx, c.readSlots); err != nil {
				return false, err
			}
			defer release(c.readSlots)
		}
	}
	if done, err := c.copyMost(ctx); !done {
		return false, err
	}
	defer release(c.writeSlot)
	mode := "RESTART"
	if wipe {
		mode = "TRUNCATE"
	}
	state, err := c.checkpoint(c.pool, mode)
	return err == nil && state.busy == 0, err
}

// copyMost copies the log, and what is written meanwhile, until at most checkpointRest is left. Then it is done, and has the
// write slot. It ends because the pauses of writers grow with each pass; and it gives up when a read in an older state of the database
// keeps the rest from being copied, or another process makes a checkpoint.
func (c *checkpoints) copyMost(ctx context.Context) (done bool, err error) {
	c.passes.Store(0)
	for before := int64(-1); ; {
		c.passes.Add(1)
		pass, err := c.checkpoint(c.pool, "PASSIVE")
		if err != nil {
			return false, err
		}
		if err := acquire(ctx, c.writeSlot); err != nil {
			return false, err
		}
		state, err := c.checkpoint(c.pool, "NOOP")
		if err == nil && state.size-state.copied <= checkpointRest {
			return true, nil
		}
		release(c.writeSlot)
		stuck := pass.copied < pass.size && pass.copied == before
		if before = pass.copied; err != nil || stuck || pass.busy != 0 {
			return false, err
		}
	}
}
