package messaging

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/panics"
	"github.com/message-service/message-service/internal/roster"
)

// pageBatches reads pages of what users were sent, and of threads of two users, as a group commit stores messages. A request is
// read by a statement of its own unless many are already running. Then it waits for one of them to end, and the next statement
// reads the pages of all that wait, if they are of one kind: a round trip and the start of a statement cost more than ten rows.
type pageBatches struct {
	db     *db.DB
	log    *slog.Logger
	read   func(ctx context.Context, q sqlx.QueryerContext, batch []*pageRequest) error // sets the pages of requests of one kind
	atOnce int                                                                          // the most statements that run

	mu      sync.Mutex
	running int
	waiting []*pageRequest
}

// What a statement reads at most. All of its pages are in memory until it ends.
const (
	pagesOfBatch    = 16
	messagesOfBatch = 500
)

// pageWait is how long a request waits, as long as one read may.
const pageWait = 10 * time.Second

// pageRequest asks for the newest messages that a user was sent, or if there is a peer, those between the two.
type pageRequest struct {
	user, peer string
	bounds     idRange
	limit      int

	page Page
	err  error
	done chan struct{} // closed when page or err is set
}

// ofThread reports which of the two kinds a request is.
func (r *pageRequest) ofThread() bool { return r.peer != "" }

// pageRequestOf returns the request that is the same as a query without words, or nil if there is none.
func pageRequestOf(query Query, bounds idRange) *pageRequest {
	if query.Recipient == "" || query.Sender != "" || query.Upward() || roster.IsGroup(query.Recipient) {
		return nil
	}
	return &pageRequest{user: query.Recipient, bounds: bounds, limit: query.Limit}
}

// threadRequestOf is the same for a thread of two users.
func threadRequestOf(user, peer string, w Window, bounds idRange) *pageRequest {
	if w.Upward() {
		return nil
	}
	return &pageRequest{user: user, peer: peer, bounds: bounds, limit: w.Limit}
}

// page reads a page by alone or in a batch; without a request or batches, alone. When ctx ends, a request that waits returns
// its error.
func (b *pageBatches) page(ctx context.Context, r *pageRequest, alone func() (Page, error)) (Page, error) {
	if b == nil || r == nil {
		return alone()
	}
	if b.start(r) {
		defer b.end()
		return alone()
	}
	select {
	case <-r.done:
		return r.page, r.err
	case <-time.After(pageWait):
		b.leave(r)
		return Page{}, unavailable("Too many lists are waiting to be read. Try again shortly.")
	case <-ctx.Done():
		b.leave(r)
		return Page{}, ctx.Err()
	}
}

// start reports whether one more statement may run. If not, the request is among those that wait.
func (b *pageBatches) start(r *pageRequest) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.running < b.atOnce {
		b.running++
		return true
	}
	r.done = make(chan struct{})
	b.waiting = append(b.waiting, r)
	return false
}

// leave makes a request wait no longer.
func (b *pageBatches) leave(r *pageRequest) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.waiting = slices.DeleteFunc(b.waiting, func(waiting *pageRequest) bool { return waiting == r })
}

// end lets those that wait take the place of a statement that has ended.
func (b *pageBatches) end() {
	batch := b.next()
	if batch == nil {
		return
	}
	go func() { // the request whose statement has ended is not to wait for others
		for ; batch != nil; batch = b.next() {
			b.readAll(batch)
		}
	}()
}

// next returns the request that has waited longest, and as many more of its kind as one statement reads. If none waits, one
// statement fewer is running.
func (b *pageBatches) next() (batch []*pageRequest) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) == 0 {
		b.running--
		return nil
	}
	ofThreads, messages := b.waiting[0].ofThread(), 0
	b.waiting = slices.DeleteFunc(b.waiting, func(r *pageRequest) bool {
		takes := len(batch) == 0 || r.ofThread() == ofThreads && len(batch) < pagesOfBatch && messages+r.limit <= messagesOfBatch
		if takes {
			batch = append(batch, r)
			messages += r.limit
		}
		return takes
	})
	return batch
}

func (b *pageBatches) readAll(batch []*pageRequest) {
	err := b.db.Read(context.Background(), func(ctx context.Context, q sqlx.QueryerContext) (err error) {
		defer panics.Logged(b.log, &err)
		return b.read(ctx, q, batch)
	})
	for _, r := range batch {
		r.err = explain(err)
		close(r.done)
	}
}
