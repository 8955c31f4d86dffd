package messaging

import (
	"context"

	"github.com/jmoiron/sqlx"
)

// Record is one record of an export: a message, a read marker or a block; the others
// are nil.
type Record struct {
	Message    *StoredMessage
	ReadMarker *ReadMarker
	Block      *Block
}

// exportBatch is how many records are read at a time.
const exportBatch = 200

// ExportUser yields every message that a user sent or received and that is not
// deleted, the oldest first, then the user's read markers, then the user's blocks.
// It reads them in batches, so that it needs little memory and no long transaction,
// and stops when yield returns an error. Errors: [Forbidden]; [Unavailable], and those of yield.
func (s *Service) ExportUser(ctx context.Context, caller Caller, user string, yield func(Record) error) error {
	if err := caller.ActsAs(user, "userId"); err != nil {
		return err
	}
	var lastMessage ID
	var lastMarker, lastBlock string
	portions := []func(context.Context, sqlx.QueryerContext) (records []Record, more bool, err error){
		func(ctx context.Context, q sqlx.QueryerContext) ([]Record, bool, error) {
			page, err := selectMessagesOf(ctx, q, s.engine, user, lastMessage, exportBatch)
			return toRecords(page.Messages, func(m *Message) Record {
				lastMessage = m.ID
				return Record{Message: &StoredMessage{Message: *m}}
			}), page.HasMore, err
		},
		func(ctx context.Context, q sqlx.QueryerContext) ([]Record, bool, error) {
			markers, err := selectReadMarkers(ctx, q, user, lastMarker, exportBatch)
			return toRecords(markers, func(m *ReadMarker) Record {
				lastMarker = m.Peer
				return Record{ReadMarker: m}
			}), len(markers) == exportBatch, err
		},
		func(ctx context.Context, q sqlx.QueryerContext) ([]Record, bool, error) {
			blocks, err := selectBlocks(ctx, q, user, lastBlock, exportBatch)
			return toRecords(blocks, func(b *Block) Record {
				lastBlock = b.Peer
				return Record{Block: b}
			}), len(blocks) == exportBatch, err
		},
	}
	for _, portion := range portions {
		for more := true; more; {
			var records []Record
			err := s.db.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) (err error) {
				records, more, err = portion(ctx, q)
				return err
			})
			if err != nil {
				return explain(err)
			}
			for _, record := range records {
				if err := yield(record); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func toRecords[T any](rows []T, toRecord func(*T) Record) []Record {
	records := make([]Record, len(rows))
	for i := range rows {
		records[i] = toRecord(&rows[i])
	}
	return records
}
