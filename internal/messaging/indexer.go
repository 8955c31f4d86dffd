package messaging

import (
	"context"
	"hash/maphash"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/mailbox"
	"github.com/message-service/message-service/internal/panics"
	"github.com/message-service/message-service/internal/searchindex"
)

const (
	// A mailbox is indexed once this number of its messages, or of bytes of their texts, is not indexed.
	indexMessages = 256
	indexBytes    = 32 << 10

	stepMessages = 1024      // messages that are indexed at a time
	stepBytes    = 256 << 10 // and bytes of their texts

	// catchUpTimeout bounds the wait of a search for an index.
	catchUpTimeout = 5 * time.Second

	indexPause = 10 * time.Second // after an error
)

// indexer indexes mailboxes for searches, in the background. It takes one step at a time.
type indexer struct {
	db     *db.DB
	engine engine
	log    *slog.Logger
	slot   chan struct{} // held for each step, so that a search need not wait for the whole of another mailbox
	due    chan string   // mailboxes that are to be indexed; if it is full, a later search does it

	seed  maphash.Seed
	bytes [1 << 16]atomic.Int32 // that were sent, by the hash of the owner; several may share a counter, and are looked at sooner
}

func newIndexer(database *db.DB, e engine, log *slog.Logger) *indexer {
	return &indexer{db: database, engine: e, log: log, slot: make(chan struct{}, 1), due: make(chan string, 1024), seed: maphash.MakeSeed()}
}

// sent counts a message that was stored, and lets a mailbox be indexed once its counter is high.
func (x *indexer) sent(m *Message) {
	for _, owner := range m.owners() {
		x.count(owner, len(m.Text))
	}
}

func (x *indexer) count(owner string, bytes int) {
	counter := &x.bytes[maphash.String(x.seed, owner)%uint64(len(x.bytes))]
	if counter.Add(int32(bytes)+indexBytes/indexMessages) >= indexBytes {
		counter.Store(0)
		x.notice(owner)
	}
}

// notice lets a mailbox be indexed soon.
func (x *indexer) notice(owner string) {
	select {
	case x.due <- owner:
	default:
	}
}

// run indexes mailboxes until ctx ends: those of a store that is older than its index, and those to
// which much was sent.
func (x *indexer) run(ctx context.Context) {
	f := fill{indexer: x, logged: time.Now()}
	for ctx.Err() == nil {
		if err := x.runStep(ctx, &f); err != nil && ctx.Err() == nil {
			x.log.Warn("a mailbox could not be indexed for searches; trying again later", "error", err)
			select {
			case <-time.After(indexPause):
			case <-ctx.Done():
			}
		}
	}
}

// runStep waits for something to do, and does it.
func (x *indexer) runStep(ctx context.Context, f *fill) (err error) {
	defer panics.AsError(&err)
	select {
	case owner := <-x.due:
		return x.catchUp(ctx, owner)
	case <-f.next():
		return f.step(ctx)
	case <-ctx.Done():
		return nil
	}
}

// catchUp indexes a mailbox up to its newest messages. A panic, which may be of this mailbox alone, is an error of it.
func (x *indexer) catchUp(ctx context.Context, owner string) (err error) {
	defer panics.AsError(&err)
	steps := []func(context.Context, string) (bool, error){
		func(ctx context.Context, owner string) (bool, error) {
			return searchindex.Renew(ctx, x.db, owner, x.documentsOf(owner))
		},
		x.step,
		func(ctx context.Context, owner string) (bool, error) { return searchindex.Merge(ctx, x.db, owner) },
	}
	for more := true; more; {
		more = false
		for _, step := range steps {
			again, err := x.inSlot(ctx, func() (bool, error) { return step(ctx, owner) })
			if err != nil {
				return err
			}
			more = more || again
		}
	}
	return nil
}

// inSlot takes a step when no other is being taken. A panic, which the server survives, releases the slot, too.
func (x *indexer) inSlot(ctx context.Context, step func() (more bool, err error)) (bool, error) {
	select {
	case x.slot <- struct{}{}:
		defer func() { <-x.slot }()
		return step()
	case <-ctx.Done():
		return false, ctx.Err()
	}
}

// documentsOf returns a function that returns the documents of an owner, for [searchindex.Renew].
func (x *indexer) documentsOf(owner string) func(context.Context, sqlx.QueryerContext, []ID) ([]searchindex.Document, error) {
	return func(ctx context.Context, q sqlx.QueryerContext, ids []ID) (documents []searchindex.Document, err error) {
		for len(ids) > 0 {
			n := min(len(ids), tailMax)
			found, err := selectByIDs(ctx, q, x.engine, notDeleted, ids[:n])
			if err != nil {
				return nil, err
			}
			ids = ids[n:]
			for id, m := range found {
				documents = append(documents, searchindex.Document{ID: id, Words: indexWords(owner, m, m.Text)})
			}
		}
		return documents, nil
	}
}

// step indexes the oldest messages of a mailbox that are not indexed, if they are many, and reports
// whether there may be more. It reads them before it locks anything, since their words take time.
func (x *indexer) step(ctx context.Context, owner string) (more bool, err error) {
	var t tail
	err = x.db.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) (err error) {
		t, err = readTail(ctx, q, x.engine, owner)
		return err
	})
	if err == nil {
		err = t.makeDocuments(ctx, owner) // outside of the read, which would neither end with ctx nor let others read
	}
	if err != nil || len(t.documents) == 0 {
		return false, err
	}
	err = x.db.Add(ctx, mailbox.WriteTimeout, func(ctx context.Context, tx *sqlx.Tx) (err error) {
		more, err = appendTail(ctx, tx, x.engine, owner, t)
		return err
	})
	return more, err
}

// tail is the oldest part of the messages of an owner that are not indexed.
type tail struct {
	start     ID // the end of the index
	clock     ID // of the mailbox, before the messages were read
	messages  []Message
	documents []searchindex.Document // of the messages, once they are made
	more      bool                   // there may be more messages
}

func readTail(ctx context.Context, q sqlx.QueryerContext, e engine, owner string) (t tail, err error) {
	if t.start, err = searchindex.IndexedUpTo(ctx, q, owner); err != nil {
		return t, err
	}
	positions, err := selectPositions(ctx, q, e, []string{owner})
	if err != nil {
		return t, err
	}
	t.clock = positions[owner].Clock
	t.messages, err = selectTail(ctx, q, e, owner, t.start, stepMessages)
	return t, err
}

// appendTail indexes a tail, and reports whether there may be more. It holds the lock of the index: who
// edits or erases one of the messages later finds it indexed. If there were edits or deletions since the
// tail was read, or another server has indexed it, it reads the tail again.
func appendTail(ctx context.Context, tx *sqlx.Tx, e engine, owner string, t tail) (more bool, err error) {
	if t.start == (ID{}) {
		exists, err := lockMailbox(ctx, tx, owner)
		if err != nil || !exists { // the group was erased
			return false, err
		}
		if err := searchindex.Create(ctx, tx, owner); err != nil {
			return false, err
		}
	}
	indexed, err := searchindex.Lock(ctx, tx, []string{owner})
	end, ok := indexed[owner]
	if err != nil || !ok { // the user was erased
		return false, err
	}
	changed, err := selectChangeAfter(ctx, tx, owner, t.clock, 1)
	if err == nil && (end != t.start || changed != nil) {
		if t, err = readTail(ctx, tx, e, owner); err == nil {
			err = t.makeDocuments(ctx, owner)
		}
	}
	if err != nil || len(t.documents) == 0 {
		return false, err
	}
	return t.more, searchindex.Append(ctx, tx, owner, t.documents)
}

// makeDocuments makes documents of the messages, as many as one step takes, or none if they are few. Their
// words take time, so it ends with ctx.
func (t *tail) makeDocuments(ctx context.Context, owner string) error {
	bytes := 0
	for i := range t.messages {
		m := &t.messages[i]
		if err := ctx.Err(); err != nil {
			return err
		}
		if bytes >= stepBytes {
			t.more = true
			return nil
		}
		if n := len(t.documents); n > 0 && t.documents[n-1].ID == m.ID {
			continue // sent to oneself
		}
		bytes += len(m.Text)
		t.documents = append(t.documents, searchindex.Document{ID: m.ID, Words: indexWords(owner, m, m.Text)})
	}
	if bytes < indexBytes && len(t.documents) < indexMessages {
		t.documents = nil
		return nil
	}
	t.more = len(t.messages) == stepMessages
	return nil
}
