package archive

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/messaging"
	"github.com/message-service/message-service/internal/roster"
)

// ErrNotEmpty is returned by [Import] for a store that is not empty.
var ErrNotEmpty = errors.New("the store is not empty")

// importBatchSize is how many messages one statement stores. Each takes ten parameters; SQLite allows
// 32,766 in a statement.
const importBatchSize = 1000

// Import stores records, which must be in the order of an export, into an empty store, in one
// transaction, and returns their number. It ends with the first error of records. Other writers
// are locked out meanwhile. After an error that wraps [db.ErrUnavailable] the commit may have been made.
func Import(ctx context.Context, database *db.DB, records iter.Seq2[messaging.Record, error]) (int64, error) {
	batch := importBatch{future: time.Now().Add(maxAhead)}
	err := database.Load(ctx, "groups, mailboxes", func(ctx context.Context, tx *sqlx.Tx) error {
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
		if err := errors.Join(batch.members.end(), batch.store(ctx, tx)); err != nil {
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
	groups       []*roster.Group
	members      memberCount // of the last group
	memberships  []*roster.Membership
	settings     []*messaging.ConversationSettings
	erasures     []*messaging.Mailbox
	mailboxes    []*messaging.Mailbox
}

func (b *importBatch) isFull() bool {
	return max(len(b.messages), len(b.markers), len(b.blocks), len(b.groups), len(b.memberships), len(b.settings),
		len(b.erasures), len(b.mailboxes)) == importBatchSize
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
	case r.Block != nil:
		b.blocks = append(b.blocks, r.Block)
	case r.Group != nil:
		err := b.members.end()
		b.members = memberCount{line: b.lines, group: r.Group}
		b.groups = append(b.groups, r.Group)
		return err
	case r.Settings != nil:
		b.settings = append(b.settings, r.Settings)
	case r.Erasure != nil:
		b.erasures = append(b.erasures, r.Erasure)
	case r.Mailbox != nil:
		b.mailboxes = append(b.mailboxes, r.Mailbox)
	default:
		b.memberships = append(b.memberships, r.Membership)
		if r.Membership.State == roster.Active && !b.members.add(r.Membership) {
			return fmt.Errorf("line %d: it does not follow its group", b.lines)
		}
	}
	return nil
}

// store stores the records and forgets them. Messages come first in a file, so that all the lines before are messages.
func (b *importBatch) store(ctx context.Context, tx *sqlx.Tx) error {
	taken, err := insertMessages(ctx, tx, b.messages)
	if err == nil && taken >= 0 {
		err = fmt.Errorf("line %d: the idempotency key is that of an earlier message of the same sender and recipient", b.messageLines+taken+1)
	}
	if err != nil {
		return err
	}
	b.messageLines += len(b.messages)
	for _, store := range []func() error{
		func() error { return insertRows(ctx, tx, messaging.ReadMarkers, b.markers) },
		func() error { return insertRows(ctx, tx, messaging.Blocks, b.blocks) },
		func() error { return insertRows(ctx, tx, roster.GroupTable, b.groups) },
		func() error { return insertRows(ctx, tx, roster.MembershipTable, b.memberships) },
		func() error { return insertRows(ctx, tx, messaging.Settings, b.settings) },
		func() error { return insertMailboxes(ctx, tx, b.erasures, true) },
		func() error { return insertMailboxes(ctx, tx, b.mailboxes, false) },
	} {
		if err := store(); err != nil {
			return err
		}
	}
	b.messages, b.markers, b.blocks, b.groups = b.messages[:0], b.markers[:0], b.blocks[:0], b.groups[:0]
	b.memberships, b.settings, b.erasures, b.mailboxes = b.memberships[:0], b.settings[:0], b.erasures[:0], b.mailboxes[:0]
	return nil
}

// placeOf is a string that sorts in the order of an export. A space sorts before every character of
// a user id.
func placeOf(r messaging.Record) string {
	switch {
	case r.Message != nil:
		return "1" + string(r.Message.ID[:])
	case r.ReadMarker != nil:
		return "2" + r.ReadMarker.Owner + " " + r.ReadMarker.Peer
	case r.Block != nil:
		return "3" + r.Block.Owner + " " + r.Block.Peer
	case r.Group != nil:
		return "4" + r.Group.Address
	case r.Settings != nil:
		return "6" + r.Settings.Owner + " " + r.Settings.Peer
	case r.Erasure != nil:
		return "7" + r.Erasure.Address
	case r.Mailbox != nil:
		return "8" + r.Mailbox.Address
	case r.Membership.State == roster.Active:
		return "4" + r.Membership.Group + " " + r.Membership.User
	default:
		return "5" + r.Membership.User + " " + r.Membership.Group
	}
}
