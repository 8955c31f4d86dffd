package messaging

import (
	"context"

	"github.com/jmoiron/sqlx"
)

// Record is one thing of an export: a message, a read marker or a block; the others
// are nil.
type Record struct {
	Message    *StoredMessage
	ReadMarker *ReadMarker
	Block      *Block
	Line       int // where it was read, for errors
}

// exportBatch is how many records are read at a time.
const exportBatch = 200

// ExportUser yields every message that a user sent or received and that is not
// deleted, the oldest first, then the user's read markers, then the user's blocks.
// It reads them in portions, so that it holds neither much memory nor a transaction,
// and stops when yield returns an error. Errors: [Unavailable], and those of yield.
func (s *Service) ExportUser(ctx context.Context, user string, yield func(Record) error) error {
	var lastMessage ID
	var lastMarker, lastBlock string
	portions := []func(context.Context, sqlx.QueryerContext) ([]Record, error){
		func(ctx context.Context, q sqlx.QueryerContext) ([]Record, error) {
			messages, err := selectMessagesOf(ctx, q, user, lastMessage, exportBatch)
			return toRecords(messages, err, func(m *StoredMessage) Record {
				lastMessage = m.ID
				return Record{Message: m}
			})
		},
		func(ctx context.Context, q sqlx.QueryerContext) ([]Record, error) {
			markers, err := selectReadMarkers(ctx, q, user, lastMarker, exportBatch)
			return toRecords(markers, err, func(m *ReadMarker) Record {
				lastMarker = m.Peer
				return Record{ReadMarker: m}
			})
		},
		func(ctx context.Context, q sqlx.QueryerContext) ([]Record, error) {
			blocks, err := selectBlocks(ctx, q, user, lastBlock, exportBatch)
			return toRecords(blocks, err, func(b *Block) Record {
				lastBlock = b.Peer
				return Record{Block: b}
			})
		},
	}
	for _, portion := range portions {
		for more := true; more; {
			var records []Record
			err := s.db.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) (err error) {
				records, err = portion(ctx, q)
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
			more = len(records) == exportBatch
		}
	}
	return nil
}

func toRecords[T any](rows []T, err error, toRecord func(*T) Record) ([]Record, error) {
	records := make([]Record, len(rows))
	for i := range rows {
		records[i] = toRecord(&rows[i])
	}
	return records, err
}

// eraseBatch is how many messages one transaction erases: few, since it locks the
// mailboxes of all their users.
const eraseBatch = 200

// EraseUser deletes every message that a user sent or received, the read markers of
// their conversations, on both sides, and the user's blocks. It does so in small
// transactions and stops between two of them when ctx ends; what is erased stays
// erased, and it may be repeated. Errors: [Unavailable]; the error of ctx.
func (s *Service) EraseUser(ctx context.Context, user string) error {
	for _, query := range []Query{{Recipient: user}, {Sender: user}} {
		if err := s.eraseMessages(ctx, user, query); err != nil {
			return explain(err)
		}
	}
	return explain(s.db.Tx(ctx, writeTimeout, func(ctx context.Context, tx *sqlx.Tx) error {
		// The lock of the mailbox: what others are about to set is there by now, or
		// will not find a conversation.
		c := change{users: [2]string{user, user}}
		if err := s.ids.stamp(ctx, tx, []*change{&c}); err != nil {
			return err
		}
		return deleteMarkersAndBlocks(ctx, tx, user)
	}))
}

// eraseMessages deletes what a query of a user's messages selects, the oldest first.
func (s *Service) eraseMessages(ctx context.Context, user string, query Query) error {
	query.Limit = eraseBatch - 1
	bounds := idRange{high: lastID}
	for {
		query.After = &bounds.low // so that it goes upward
		var batch []Message
		err := s.db.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) (err error) {
			batch, err = selectMessages(ctx, q, query, bounds)
			return err
		})
		if err != nil || len(batch) == 0 {
			return err
		}
		err = s.db.Tx(ctx, writeTimeout, func(ctx context.Context, tx *sqlx.Tx) error {
			return s.erase(ctx, tx, user, batch)
		})
		if err != nil {
			return err
		}
		for _, m := range batch {
			s.tell(m.Sender, m.Recipient)
		}
		bounds.low = batch[len(batch)-1].ID.successor()
	}
}

// erase deletes messages of a user in the transaction.
func (s *Service) erase(ctx context.Context, tx *sqlx.Tx, user string, messages []Message) error {
	changes := make([]*change, len(messages))
	for i, m := range messages {
		changes[i] = &change{users: [2]string{m.Sender, m.Recipient}}
	}
	if err := s.ids.stamp(ctx, tx, changes); err != nil {
		return err
	}
	erased, changed := make([]*Message, len(messages)), make([]ID, len(messages))
	for i := range messages {
		erased[i], changed[i] = &messages[i], changes[i].id
	}
	return eraseMessages(ctx, tx, user, erased, changed)
}
