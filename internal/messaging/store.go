package messaging

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
)

// ExportStore yields everything that must survive a move to another database: all
// messages in the order of their ids, deleted ones too, then all read markers and
// blocks. All of it is of one moment. It stops when yield returns an error.
func ExportStore(ctx context.Context, database *db.DB, yield func(Record) error) error {
	return explain(database.Snapshot(ctx, func(ctx context.Context, q sqlx.QueryerContext) error {
		err := eachRow(ctx, q, "SELECT "+storedColumns+" FROM messages ORDER BY "+everyID, func(m *StoredMessage) error {
			return yield(Record{Message: m})
		})
		if err != nil {
			return err
		}
		err = eachRow(ctx, q, "SELECT owner, peer, message_id, changed FROM read_markers ORDER BY owner, peer", func(m *ReadMarker) error {
			return yield(Record{ReadMarker: m})
		})
		if err != nil {
			return err
		}
		return eachRow(ctx, q, "SELECT owner, peer, changed FROM blocks ORDER BY owner, peer", func(b *Block) error {
			return yield(Record{Block: b})
		})
	}))
}

// ErrNotEmpty is returned by [ImportStore] for a store that has something in it.
var ErrNotEmpty = errors.New("the store is not empty")

// importBatchSize is how many records one statement stores.
const importBatchSize = 1000

// ImportStore stores what [ExportStore] yielded, all of it or nothing, into a store
// that must be empty and without a running server; the messages must be in the
// order of their ids. An error of records ends it.
func ImportStore(ctx context.Context, database *db.DB, records iter.Seq2[Record, error]) error {
	return explain(database.Load(ctx, func(ctx context.Context, tx *sqlx.Tx) error {
		if empty, err := isEmpty(ctx, tx); err != nil || !empty {
			return errors.Join(err, ErrNotEmpty)
		}
		batch := importBatch{clocks: map[string]ID{}}
		for record, err := range records {
			if err == nil {
				err = batch.add(record)
			}
			if err == nil && batch.size() == importBatchSize {
				err = batch.store(ctx, tx)
			}
			if err != nil {
				return err
			}
		}
		return batch.store(ctx, tx)
	}))
}

// importBatch collects records to be stored together.
type importBatch struct {
	messages []Record
	markers  []ReadMarker
	blocks   []Block
	clocks   map[string]ID // the newest change in each mailbox
	last     ID            // of all messages so far
}

func (b *importBatch) size() int { return len(b.messages) + len(b.markers) + len(b.blocks) }

func (b *importBatch) add(r Record) error {
	switch {
	case r.Message != nil:
		if r.Message.ID.Compare(b.last) <= 0 {
			return fmt.Errorf("line %d: the messages must be in the order of their ids, each id once", r.Line)
		}
		if err := checkMetadata(r.Message.Metadata); err != nil {
			return fmt.Errorf("line %d: metadata %s", r.Line, err.Fields[0].Detail)
		}
		b.last = r.Message.ID
		newest := r.Message.ID
		if r.Message.Changed != nil {
			newest = *r.Message.Changed
		}
		b.messages = append(b.messages, r)
		b.raise(newest, r.Message.Sender, r.Message.Recipient)
	case r.ReadMarker != nil:
		b.markers = append(b.markers, *r.ReadMarker)
		b.raise(r.ReadMarker.Changed, r.ReadMarker.Owner, r.ReadMarker.Peer)
	case r.Block != nil:
		b.blocks = append(b.blocks, *r.Block)
		b.raise(r.Block.Changed, r.Block.Owner)
	}
	return nil
}

func (b *importBatch) raise(clock ID, users ...string) {
	for _, user := range users {
		if b.clocks[user].Compare(clock) < 0 {
			b.clocks[user] = clock
		}
	}
}

// store stores the records and forgets them.
func (b *importBatch) store(ctx context.Context, tx *sqlx.Tx) error {
	if b.size() == 0 {
		return nil
	}
	if err := raiseClocks(ctx, tx, b.clocks); err != nil {
		return err
	}
	if err := insertStored(ctx, tx, b.messages); err != nil {
		return err
	}
	var kept []*Message
	for _, r := range b.messages {
		if !r.Message.Deleted {
			kept = append(kept, &r.Message.Message)
		}
	}
	if err := touchConversations(ctx, tx, kept); err != nil {
		return err
	}
	for _, marker := range b.markers {
		if _, err := advanceReadMarker(ctx, tx, marker); err != nil {
			return err
		}
	}
	for _, block := range b.blocks {
		if err := insertBlock(ctx, tx, block); err != nil {
			return err
		}
	}
	*b = importBatch{clocks: map[string]ID{}, last: b.last}
	return nil
}
