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

// ErrNotEmpty is returned by [Import] for a store that has something in it.
var ErrNotEmpty = errors.New("the store is not empty")

// importBatchSize is how many messages one statement stores. Each takes ten of its
// parameters, of which SQLite allows 32,766.
const importBatchSize = 1000

// Import stores records that are in the order of an export into a store that must be empty, and
// returns their number: all of them or none. An error of records ends it. Nobody else can write
// into the store meanwhile.
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

// maxAhead is how far an id may be ahead of the time: those of a mailbox increase, so one
// that is far ahead would date everything that its user, and whoever writes with them, sends.
const maxAhead = time.Minute

// importBatch collects records to be stored together.
type importBatch struct {
	future       time.Time // no id may be as new as that
	lines        int64     // up to the last record: each is a line
	last         string    // the place of that in the order of an export
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

// placeOf is a string that sorts as the records of an export do. No user id contains a
// space, and all that they contain comes after it.
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

// check finds what would harm a store and is no matter of the record's form.
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
