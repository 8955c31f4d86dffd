package messaging

import (
	"context"
	"slices"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/roster"
)

// Record is one record of an export: a message, a read marker, a block, a group, a membership, what a user has
// set for a conversation with another user, an erasure, or a mailbox; the others are nil.
type Record struct {
	Message    *StoredMessage
	ReadMarker *ReadMarker
	Block      *Block
	Group      *roster.Group
	Membership *roster.Membership
	Settings   *ConversationSettings
	Erasure    *Mailbox // of a user which has begun, and not ended; see [Service.EraseUser]
	Mailbox    *Mailbox
}

// Mailbox is where the mailbox of a user or a group ends.
type Mailbox struct {
	Address string `db:"user_id"`
	Clock   ID     `db:"clock"` // its newest change, which may have left nothing else behind
}

// exportBatch is how many records are read at a time.
const exportBatch = 200

// ExportUser yields every message that a user sent or received and that is not
// deleted, the oldest first, then those they sent to groups, also to some that they are no longer in, then
// the user's read markers, blocks, memberships and what they have set for conversations with users. It reads them in
// batches, so that it needs little memory and no long transaction, and stops when yield returns an error. Errors:
// [Forbidden]; [Unavailable], and those of yield.
func (s *Service) ExportUser(ctx context.Context, caller Caller, user string, yield func(Record) error) error {
	if err := caller.ActsAs(user, "userId"); err != nil {
		return err
	}
	for _, portion := range s.exportPortions(user) {
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

// exportPortion reads the next records of one kind, and whether there may be more.
type exportPortion func(context.Context, sqlx.QueryerContext) (records []Record, more bool, err error)

func (s *Service) exportPortions(user string) []exportPortion {
	var message, inGroups ID // the last one that was read
	var marker, block, group, peer string
	return []exportPortion{
		func(ctx context.Context, q sqlx.QueryerContext) ([]Record, bool, error) {
			page, err := selectMessagesOf(ctx, q, s.engine, user, message, exportBatch)
			return toRecords(page.Messages, func(m *Message) Record { message = m.ID; return messageRecord(m) }), page.HasMore, err
		},
		func(ctx context.Context, q sqlx.QueryerContext) ([]Record, bool, error) {
			page, err := selectSentToGroups(ctx, q, user, inGroups, exportBatch)
			return toRecords(page.Messages, func(m *Message) Record { inGroups = m.ID; return messageRecord(m) }), page.HasMore, err
		},
		func(ctx context.Context, q sqlx.QueryerContext) ([]Record, bool, error) {
			found, err := selectReadMarkers(ctx, q, user, marker, exportBatch)
			return toRecords(found, func(m *ReadMarker) Record { marker = m.Peer; return Record{ReadMarker: m} }), len(found) == exportBatch, err
		},
		func(ctx context.Context, q sqlx.QueryerContext) ([]Record, bool, error) {
			found, err := selectBlocks(ctx, q, user, block, exportBatch)
			return toRecords(found, func(b *Block) Record { block = b.Peer; return Record{Block: b} }), len(found) == exportBatch, err
		},
		func(ctx context.Context, q sqlx.QueryerContext) ([]Record, bool, error) {
			found, err := selectMemberships(ctx, q, user, group, exportBatch)
			return toRecords(found, func(m *roster.Membership) Record {
				group, m.MutedUntil = m.Group, unlessOver(m.MutedUntil, s.now())
				return Record{Membership: m}
			}), len(found) == exportBatch, err
		},
		func(ctx context.Context, q sqlx.QueryerContext) ([]Record, bool, error) {
			found, err := selectSettings(ctx, q, user, peer, exportBatch)
			records := toRecords(found, func(c *ConversationSettings) Record {
				peer, c.MutedUntil = c.Peer, unlessOver(c.MutedUntil, s.now())
				if c.LastMessage == (ID{}) { // the user has not hidden it, see endConversation
					c.Hidden = nil
				}
				return Record{Settings: c}
			})
			return slices.DeleteFunc(records, func(r Record) bool { return r.Settings.isEmpty() }), len(found) == exportBatch, err
		},
	}
}

func messageRecord(m *Message) Record { return Record{Message: &StoredMessage{Message: *m}} }

func toRecords[T any](rows []T, toRecord func(*T) Record) []Record {
	records := make([]Record, len(rows))
	for i := range rows {
		records[i] = toRecord(&rows[i])
	}
	return records
}
