package db

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"
)

const (
	// checkpointInterval is how often the size of the log is looked at while it grows.
	checkpointInterval = 50 * time.Millisecond

	// checkpointSize is how many bytes of log make a checkpoint due. A page that was changed
	// by many commits is copied once, so the more the cheaper.
	checkpointSize = 42 << 20

	// checkpointRest is how many bytes may be left to be copied while writers wait.
	checkpointRest = 3 << 20

	// longLog is how many bytes of log are too many: writers that write faster than is copied
	// wait then, at most writersPause each.
	longLog, writersPause = 52 << 20, 100 * time.Millisecond

	// wipeInterval is how often a log is truncated in which something may be that was
	// erased. It is not done more often, since a log that has been as long before is
	// written faster.
	wipeInterval = time.Second

	// longestRead is how long one read may take. A checkpoint cannot start the log anew
	// during a read.
	longestRead = 2 * time.Second

	// readersTimeout is how long a checkpoint waits for reads to end, while writers wait.
	readersTimeout = 50 * time.Millisecond

	// retryInterval is the time between two attempts, of which each lets writers wait.
	retryInterval = 250 * time.Millisecond

	// stuckReported is after how long without success the log says so.
	stuckReported = 4 * time.Second

	// closeTimeout bounds the wait for connections that are still in use when the database
	// is closed.
	closeTimeout = 10 * time.Second
)

// checkpoints copies what is committed from the log of a SQLite database into its file, so
// that the log can start anew. SQLite would do so within a commit, which then waits for
// all of it.
type checkpoints struct {
	file   *sqliteFile
	log    *slog.Logger
	pool   *sqlx.DB // of one connection, which is not closed while others are open
	writer *sqlx.DB
	reads  chan struct{} // the turns of those who read
	turn   chan struct{} // of those who write
	due    chan struct{} // holds one when something was committed
	stop   context.CancelFunc
	ended  chan struct{}

	erased  atomic.Bool                   // something may be in the log that must not stay there
	copying atomic.Pointer[chan struct{}] // closed at the end of the checkpoint that is being made
	crowded atomic.Bool                   // the log is too long by then

	mu       sync.Mutex
	wiped    time.Time // when the log was truncated
	failures int       // since the last success
	since    time.Time // of the first of those
	failed   time.Time // of the last
	reported bool
}

func (c *checkpoints) start() {
	ctx, stop := context.WithCancel(context.Background())
	c.stop = stop
	go func() {
		defer close(c.ended)
		ticker := time.NewTicker(checkpointInterval)
		defer ticker.Stop()
		for ctx.Err() == nil {
			select {
			case <-ctx.Done():
			case <-c.due:
				if again := c.run(ctx); again {
					signal(c.due)
				}
				select {
				case <-ctx.Done():
				case <-ticker.C:
				}
			}
		}
	}()
}

func signal(sign chan<- struct{}) {
	select {
	case sign <- struct{}{}:
	default:
	}
}

// close ends the checkpoints with a last one, closes their connection, and waits until all
// others are closed, too: the last one removes the log. That would copy the log as well, but
// not say so if it could not. With a file that was overwritten it would destroy what was put there, so
// that the connection stays open until the process ends.
func (c *checkpoints) close() error {
	c.stop()
	<-c.ended
	var err error
	if c.file.isOpen() && c.file.intact() == nil {
		mode := "PASSIVE"
		if c.erased.Load() { // another process may have it open, so that the log stays
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

// run makes a checkpoint if one is due, and reports whether it is to be run again although
// nothing else may be committed.
func (c *checkpoints) run(ctx context.Context) (again bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.file.intact() != nil {
		return false
	}
	if time.Since(c.failed) < retryInterval {
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
			c.erased.Store(false) // before: what is erased meanwhile is for the next time
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
	_ = c.file.intact() // so that the files are known as they are now; it says itself what is wrong
	return c.erased.Load() || !done
}

// truncate empties the log, whatever is in it.
func (c *checkpoints) truncate(ctx context.Context) {
	c.erased.Store(true)
	c.run(ctx)
}

// report says so when somebody has kept the log from being emptied for long, and when
// that is over.
func (c *checkpoints) report(done bool, err error) {
	if done {
		if c.reported {
			c.log.Info("the log of the SQLite database could be emptied again")
		}
		c.failures, c.reported = 0, false
		return
	}
	c.failed = time.Now()
	if c.failures++; c.failures == 1 {
		c.since = c.failed
	}
	if !c.reported && time.Since(c.since) > stuckReported {
		c.reported = true
		c.log.Warn("the log of the SQLite database cannot be emptied, so that it grows and keeps what was erased: "+
			"most likely another process reads the database in a transaction that it does not end", "since", c.since, "error", err)
	}
}

// empty copies most of the log while others read and write, and the rest while nobody
// writes. Then the next write starts it anew; with wipe it is truncated first.
func (c *checkpoints) empty(ctx context.Context, wipe bool) (done bool, err error) {
	ended := make(chan struct{})
	c.copying.Store(&ended)
	defer func() {
		c.copying.Store(nil)
		c.crowded.Store(false)
		close(ended)
	}()
	for left := int64(math.MaxInt64); ; {
		if _, err := c.checkpoint(c.pool, "PASSIVE"); err != nil {
			return false, err
		}
		state, err := c.checkpoint(c.pool, "NOOP")
		if err != nil {
			return false, err
		}
		before := left
		if left = state.size - state.copied; left < checkpointRest || left >= before || state.size > longLog {
			break
		}
	}
	if c.failures%10 == 1 { // reads that overlap might never leave a moment without one
		for range cap(c.reads) {
			if err := acquire(ctx, c.reads); err != nil {
				return false, err
			}
			defer release(c.reads)
		}
	}
	if err := acquire(ctx, c.turn); err != nil {
		return false, err
	}
	defer release(c.turn)
	mode := "RESTART"
	if wipe {
		mode = "TRUNCATE"
	}
	state, err := c.checkpoint(c.pool, mode)
	return err == nil && state.busy == 0, err
}

// logState is what SQLite answers to a checkpoint.
type logState struct {
	busy   int   // 1 if others kept it from doing all that it is to do
	size   int64 // bytes in the log
	copied int64 // of those, into the file
}

// checkpoint makes a checkpoint on a connection.
func (c *checkpoints) checkpoint(pool *sqlx.DB, mode string) (state logState, err error) {
	// Not the context of a caller, whose end would cost the connection.
	row := pool.QueryRowContext(context.Background(), "PRAGMA wal_checkpoint("+mode+")")
	var frames, copied int64
	if err := row.Scan(&state.busy, &frames, &copied); err != nil {
		return logState{}, fmt.Errorf("checkpoint: %w", err)
	}
	frameSize := c.file.frameSize()
	state.size, state.copied = frames*frameSize, copied*frameSize
	return state, nil
}
