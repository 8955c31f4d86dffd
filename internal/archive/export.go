package archive

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/messaging"
	"github.com/message-service/message-service/internal/roster"
)

// Export writes everything that must survive a move to another database, and returns the number
// of records: all messages in the order of their ids, deleted ones too, then all read markers
// and blocks, then each group with its members, deleted ones too, then the memberships that have ended, the
// conversations that are muted or hidden, the users who are being erased, and the mailboxes with their clocks: clients
// resume from these, also where the newest change has left nothing else behind.
//
// From Postgres it is one snapshot. From SQLite each record is as it was when it
// was read, and a group as it was with its members, up to the newest change at the start: messages sent, groups
// made and memberships ended meanwhile are left out, and messages edited or deleted meanwhile are exported
// in one state or the other. Who is being erased at the start is exported as such, also if that ends meanwhile, since
// what is erased may have been read before.
func Export(ctx context.Context, database *db.DB, w io.Writer) (records int64, err error) {
	buffer := bufio.NewWriterSize(w, 1<<20)
	lines := newWriter(buffer, true)
	if err := readStore(ctx, database, lines.write); err != nil {
		return 0, err
	}
	return lines.records, errors.Join(lines.end(), buffer.Flush())
}

// ExportUser writes the data of a user; see [messaging.Service.ExportUser].
func ExportUser(ctx context.Context, service *messaging.Service, caller messaging.Caller, user string, w io.Writer) error {
	lines := newWriter(w, false)
	if err := service.ExportUser(ctx, caller, user, lines.write); err != nil {
		return err
	}
	return lines.end()
}

// readStore yields the records of a store in their order, until yield returns an error.
func readStore(ctx context.Context, database *db.DB, yield func(messaging.Record) error) error {
	return database.Portions(ctx, func(read db.ReadPortion) error {
		var newest messaging.ID
		var erasures []messaging.Mailbox
		err := read(func(ctx context.Context, q sqlx.QueryerContext) (err error) {
			if newest, err = selectNewest(ctx, q); err == nil {
				erasures, err = selectErasures(ctx, q)
			}
			return err
		})
		if err != nil {
			return err
		}
		for _, export := range []func(db.ReadPortion, messaging.ID, func(messaging.Record) error) error{
			exportMessages, exportReadMarkers, exportBlocks, exportGroups, exportEnded, exportSettings,
		} {
			if err := export(read, newest, yield); err != nil {
				return err
			}
		}
		for i := range erasures {
			if err := yield(messaging.Record{Erasure: &erasures[i]}); err != nil {
				return err
			}
		}
		return exportMailboxes(read, newest, yield)
	})
}

// exportPortion is how many rows one query reads.
const exportPortion = 1000

// eachRow calls fn with each row, until a portion has fewer than exportPortion rows. Each portion comes after the last row
// of the one before.
func eachRow[T any](read db.ReadPortion, next func(ctx context.Context, q sqlx.QueryerContext, after T) ([]T, error), fn func(*T) error) error {
	var after T
	for {
		var rows []T
		err := read(func(ctx context.Context, q sqlx.QueryerContext) (err error) {
			rows, err = next(ctx, q, after)
			return err
		})
		if err != nil {
			return fmt.Errorf("read the store: %w", err)
		}
		for i := range rows {
			if err := fn(&rows[i]); err != nil {
				return err
			}
		}
		if len(rows) < exportPortion {
			return nil
		}
		after = rows[len(rows)-1]
	}
}

func exportMessages(read db.ReadPortion, newest messaging.ID, yield func(messaging.Record) error) error {
	next := func(ctx context.Context, q sqlx.QueryerContext, after messaging.StoredMessage) ([]messaging.StoredMessage, error) {
		return selectStored(ctx, q, after.ID, newest, exportPortion)
	}
	return eachRow(read, next, func(m *messaging.StoredMessage) error { return yield(messaging.Record{Message: m}) })
}

// exportReadMarkers yields no marker beyond the newest exported message: a marker that was set
// meanwhile is moved back to the newest exported message of its conversation, or left out.
func exportReadMarkers(read db.ReadPortion, newest messaging.ID, yield func(messaging.Record) error) error {
	next := func(ctx context.Context, q sqlx.QueryerContext, after messaging.ReadMarker) ([]messaging.ReadMarker, error) {
		markers, err := selectAfter(ctx, q, messaging.ReadMarkers, after.Owner, after.Peer, exportPortion)
		for i := range markers {
			if m := &markers[i]; err == nil && m.MessageID.Compare(newest) > 0 {
				m.MessageID, err = selectNewestOf(ctx, q, m.Owner, m.Peer, newest)
			}
		}
		return markers, err
	}
	return eachRow(read, next, func(m *messaging.ReadMarker) error {
		if m.MessageID == (messaging.ID{}) {
			return nil
		}
		return yield(messaging.Record{ReadMarker: m})
	})
}

func exportBlocks(read db.ReadPortion, _ messaging.ID, yield func(messaging.Record) error) error {
	next := func(ctx context.Context, q sqlx.QueryerContext, after messaging.Block) ([]messaging.Block, error) {
		return selectAfter(ctx, q, messaging.Blocks, after.Owner, after.Peer, exportPortion)
	}
	return eachRow(read, next, func(b *messaging.Block) error { return yield(messaging.Record{Block: b}) })
}

// exportGroups yields each group and then its members.
func exportGroups(read db.ReadPortion, newest messaging.ID, yield func(messaging.Record) error) error {
	next := func(ctx context.Context, q sqlx.QueryerContext, after string) ([]string, error) {
		return selectGroupsAfter(ctx, q, after, newest, exportPortion)
	}
	return eachRow(read, next, func(address *string) error {
		var group *roster.Group
		var members []roster.Membership
		err := read(func(ctx context.Context, q sqlx.QueryerContext) (err error) {
			group, members, err = selectGroup(ctx, q, *address)
			return err
		})
		if err != nil {
			return fmt.Errorf("read a group: %w", err)
		}
		if err := yield(messaging.Record{Group: group}); err != nil {
			return err
		}
		for i := range members {
			if err := yield(messaging.Record{Membership: &members[i]}); err != nil {
				return err
			}
		}
		return nil
	})
}

// exportEnded yields the memberships that have ended, by users and groups.
func exportEnded(read db.ReadPortion, newest messaging.ID, yield func(messaging.Record) error) error {
	next := func(ctx context.Context, q sqlx.QueryerContext, after roster.Membership) ([]roster.Membership, error) {
		return selectEndedAfter(ctx, q, after.User, after.Group, newest, exportPortion)
	}
	return eachRow(read, next, func(m *roster.Membership) error { return yield(messaging.Record{Membership: m}) })
}

// exportSettings yields the conversations that are muted or hidden.
func exportSettings(read db.ReadPortion, _ messaging.ID, yield func(messaging.Record) error) error {
	next := func(ctx context.Context, q sqlx.QueryerContext, after messaging.ConversationSettings) ([]messaging.ConversationSettings, error) {
		return selectSettingsAfter(ctx, q, after.Owner, after.Peer, time.Now(), exportPortion)
	}
	return eachRow(read, next, func(s *messaging.ConversationSettings) error { return yield(messaging.Record{Settings: s}) })
}

// exportMailboxes yields the mailboxes. Where one has newer changes than the newest one at the start it ends there, since
// who has seen what is not exported must learn that it is not there. If there was none at the start there were no mailboxes.
func exportMailboxes(read db.ReadPortion, newest messaging.ID, yield func(messaging.Record) error) error {
	if newest == (messaging.ID{}) {
		return nil
	}
	next := func(ctx context.Context, q sqlx.QueryerContext, after messaging.Mailbox) ([]messaging.Mailbox, error) {
		return selectMailboxesAfter(ctx, q, after.Address, exportPortion)
	}
	return eachRow(read, next, func(m *messaging.Mailbox) error {
		if m.Clock.Compare(newest) > 0 {
			m.Clock = newest
		}
		return yield(messaging.Record{Mailbox: m})
	})
}
