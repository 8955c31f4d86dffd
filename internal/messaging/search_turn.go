package messaging

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"
)

const (
	searchTurn = 100 * time.Microsecond // that a search computes at least before it gives way: a fraction of a send

	// searchRest is how long a search rests in all, at most: few compute for longer, and a read may take seconds only.
	searchRest = 100 * time.Millisecond
)

// turns is the database for a search that gives way to sends. With few processors a search has one of them, and the
// other is not enough: while the writer waits for the disk, or garbage is collected, a send that could go on would wait
// for the search, for milliseconds.
type turns struct {
	sqlx.QueryerContext

	underway *atomic.Int64 // sends that are to be stored
	begun    time.Time     // of this turn
	rest     time.Duration // that is left
}

// inTurns makes the read of a search give way to sends. With more than three processors it need not: searches leave some of them free.
func inTurns(underway *atomic.Int64, read pageRead) pageRead {
	if runtime.GOMAXPROCS(0) > 3 {
		return read
	}
	return func(ctx context.Context, q sqlx.QueryerContext) (Page, error) {
		return read(ctx, &turns{q, underway, time.Now(), searchRest})
	}
}

// QueryxContext gives way before the query.
func (t *turns) QueryxContext(ctx context.Context, query string, args ...any) (*sqlx.Rows, error) {
	t.giveWay(ctx)
	return t.QueryerContext.QueryxContext(ctx, query, args...)
}

// QueryRowxContext gives way before the query.
func (t *turns) QueryRowxContext(ctx context.Context, query string, args ...any) *sqlx.Row {
	t.giveWay(ctx)
	return t.QueryerContext.QueryRowxContext(ctx, query, args...)
}

// giveWay ends the turn if it was long enough. If a send is under way then, the search rests for as long as the turn: it takes
// twice as long at most, however many sends there are and whatever they wait for.
func (t *turns) giveWay(ctx context.Context) {
	worked := time.Since(t.begun)
	if worked < searchTurn {
		return
	}
	if rest := min(worked, t.rest); rest > 0 && t.underway.Load() > 0 {
		t.rest -= rest
		select {
		case <-time.After(rest):
		case <-ctx.Done():
		}
	}
	t.begun = time.Now()
}

// giveWay gives way if the database is that of a search.
func giveWay(ctx context.Context, q sqlx.QueryerContext) {
	if t, ok := q.(*turns); ok {
		t.giveWay(ctx)
	}
}
