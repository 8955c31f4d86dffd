package archive

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/messaging"
)

// ErrNotEmpty is returned by [Import] for a store that is not empty.
var ErrNotEmpty = errors.New("the store is not empty")

// importBatchSize is how many messages one statement stores. Each takes ten parameters; SQLite allows
// 32,766 in a statement.
const importBatchSize = 1000

// Import stores records, which must be in the order of an export, into an empty store, in one
// transaction, and returns their number. It ends with the first error of records. Other writers
// are locked out meanwhile.
func Import(ctx context.Context, database *db.DB, records iter.Seq2[messaging.Record, error]) (int64, error) {
	batch := importBatch{future: time.Now().Add(maxAhead)}
	err := database.Load(ctx, "mailboxes", func(ctx context.Context, tx *sqlx.Tx) error {
		empty, err := isEmpty(ctx, tx)
		if err != nil {
			return err
		}
		if !empty {
			return ErrNotEmpty
		}
		for record, err := range records {
			if err == nil {
				err = batch.add(record)
			}
			if err == nil && batch.isFull() {
				err = batch.store(ctx, tx)
			}
			if err != nil {
				return err
			}
		}
		if err := batch.store(ctx, tx); err != nil {
			return err
		}
		if err := deriveRest(ctx, tx); err != nil {
			return err
		}
		return checkStore(ctx, tx)
	})
	return batch.lines, err
}

// maxAhead is how far the time of an id may be in the future. The ids of a mailbox increase, so an
// id that is far ahead would give wrong times to all later messages of its user and of their peers.
const maxAhead = time.Minute

// importBatch collects records to be stored together.
type importBatch struct {
	future       time.Time // the times of all ids must be before it
	lines        int64     // the records so far; each is a line
	last         string    // placeOf the last record
	messages     []*messaging.StoredMessage
	messageLines int // of the messages that are stored
	markers      []*messaging.ReadMarker
	blocks       []*messaging.Block
}

func (b *importBatch) isFull() bool {
	return max(len(b.messages), len(b.markers), len(b.blocks)) == importBatchSize
}

func (b *importBatch) add(r messaging.Record) error {
	b.lines++
	if err := check(r, b.future); err != nil {
		return fmt.Errorf("line %d: %w", b.lines, err)
	}
	place := placeOf(r)
	if place <= b.last {
		return fmt.Errorf("line %d: it is not in the order of an export, or there twice", b.lines)
	}
	b.last = place
	switch {
	case r.Message != nil:
		b.messages = append(b.messages, r.Message)
	case r.ReadMarker != nil:
		b.markers = append(b.markers, r.ReadMarker)
	default:
		b.blocks = append(b.blocks, r.Block)
	}
	return nil
}

// store stores the records and forgets them.
func (b *importBatch) store(ctx context.Context, tx *sqlx.Tx) error {
	taken, err := insertMessages(ctx, tx, b.messages)
	if err == nil && taken >= 0 { // messages come first, so that all the lines before are messages
		err = fmt.Errorf("line %d: the idempotency key is that of an earlier message of the same sender and recipient", b.messageLines+taken+1)
	}
	b.messageLines += len(b.messages)
	if err == nil {
		err = insertRows(ctx, tx, messaging.ReadMarkers, b.markers)
	}
	if err == nil {
		err = insertRows(ctx, tx, messaging.Blocks, b.blocks)
	}
	b.messages, b.markers, b.blocks = b.messages[:0], b.markers[:0], b.blocks[:0]
	return err
}

// placeOf is a string that sorts in the order of an export. A space sorts before every character of
// a user id.
func placeOf(r messaging.Record) string {
	switch {
	case r.Message != nil:
		return "1" + string(r.Message.ID[:])
	case r.ReadMarker != nil:
		return "2" + r.ReadMarker.Owner + " " + r.ReadMarker.Peer
	default:
		return "3" + r.Block.Owner + " " + r.Block.Peer
	}
}

// check refuses a record that has the right form but would harm the store.
func check(r messaging.Record, future time.Time) error {
	var ids []messaging.ID
	switch {
	case r.Message != nil:
		if len(r.Message.Metadata) > messaging.MetadataMaxBytes {
			return fmt.Errorf("metadata must be at most %d bytes of compact JSON", messaging.MetadataMaxBytes)
		}
		ids = append(ids, r.Message.ID)
		if changed := r.Message.Changed; changed != nil {
			if changed.Compare(r.Message.ID) <= 0 {
				return errors.New("the message was changed before it was sent")
			}
			ids = append(ids, *changed)
		}
		if reply := r.Message.ReplyTo; reply != nil && reply.Compare(r.Message.ID) >= 0 {
			return errors.New("the message replies to itself, or to a later one")
		}
	case r.ReadMarker != nil:
		ids = append(ids, r.ReadMarker.Changed)
	default:
		if r.Block.Owner == r.Block.Peer {
			return errors.New("a user cannot block themselves")
		}
		ids = append(ids, r.Block.Changed)
	}
	for _, id := range ids {
		if uuid.UUID(id).Version() != 7 { // a mailbox clock above such an id might never pass it
			return fmt.Errorf("%s is not a UUID of version 7", id)
		}
		if !id.Time().Before(future) {
			return fmt.Errorf("%s lies in the future: it is of %s", id, id.Time().Format(time.RFC3339))
		}
	}
	return nil
}
