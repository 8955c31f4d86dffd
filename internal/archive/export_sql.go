package archive

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/messaging"
	"github.com/message-service/message-service/internal/roster"
	"github.com/message-service/message-service/internal/table"
)

// selectStored returns messages of everyone, deleted ones too, after an id and up to
// another, in the order of their ids: two ranges of one index. Those in deleted groups, which nobody can read any more,
// are only there until they are erased.
func selectStored(ctx context.Context, q sqlx.QueryerContext, after, upTo messaging.ID, limit int) ([]messaging.StoredMessage, error) {
	half := func(deleted string) string {
		return fmt.Sprintf("SELECT %s FROM messages WHERE deleted = %s AND %s AND %[4]s > $1 AND %[4]s <= $2 ORDER BY %[4]s LIMIT $3",
			messaging.Messages.Columns(), deleted, messaging.InNoDeletedGroup, messaging.EveryID)
	}
	return messaging.Messages.Select(ctx, q, db.UnionAll(half("false"), half("true"))+" ORDER BY id LIMIT $3", after, upTo, limit)
}

// selectNewest returns the id of the newest change in any mailbox, or the zero id. It scans the mailboxes.
func selectNewest(ctx context.Context, q sqlx.QueryerContext) (messaging.ID, error) {
	return selectNewestID(ctx, q, "SELECT clock FROM mailboxes ORDER BY clock DESC LIMIT 1")
}

// selectErasures returns the users who are being erased. It scans the mailboxes, too.
func selectErasures(ctx context.Context, q sqlx.QueryerContext) (erasures []messaging.Mailbox, err error) {
	err = sqlx.SelectContext(ctx, q, &erasures, "SELECT user_id, clock FROM mailboxes WHERE closed = true ORDER BY user_id")
	return erasures, err
}

// selectNewestOf returns the id of the newest message between a user and a peer, or in a group, up to an id, that
// is not deleted, or the zero id.
func selectNewestOf(ctx context.Context, q sqlx.QueryerContext, user, peer string, upTo messaging.ID) (messaging.ID, error) {
	messages := func(where string) string {
		return "SELECT id FROM messages WHERE " + where + " AND deleted = false AND id <= $1 ORDER BY id DESC LIMIT $2"
	}
	if roster.IsGroup(peer) {
		return selectNewestID(ctx, q, messages("recipient = $3"), upTo, 1, peer)
	}
	between := db.UnionAll(messages("recipient = $3 AND sender = $4"), messages("recipient = $4 AND sender = $3"))
	return selectNewestID(ctx, q, between+" ORDER BY id DESC LIMIT 1", upTo, 1, user, peer)
}

func selectNewestID(ctx context.Context, q sqlx.QueryerContext, statement string, args ...any) (id messaging.ID, err error) {
	err = sqlx.GetContext(ctx, q, &id, statement, args...)
	if errors.Is(err, sql.ErrNoRows) {
		return id, nil
	}
	return id, err
}

// selectAfter returns the rows of all owners after that of an owner and a peer.
func selectAfter[R any](ctx context.Context, q sqlx.QueryerContext, table *table.Table[R], owner, peer string, limit int) ([]R, error) {
	return table.Select(ctx, q, `
		SELECT `+table.Columns()+` FROM `+table.Name()+`
		WHERE (owner, peer) > ($1, $2) ORDER BY owner, peer LIMIT $3`, owner, peer, limit)
}

// selectGroupsAfter returns the addresses of groups, deleted ones too, after an address, created up to an id.
func selectGroupsAfter(ctx context.Context, q sqlx.QueryerContext, after string, upTo messaging.ID, limit int) (addresses []string, err error) {
	err = sqlx.SelectContext(ctx, q, &addresses, `
		SELECT group_id FROM groups WHERE group_id > $1 AND created <= $2 ORDER BY group_id LIMIT $3`, after, upTo, limit)
	return addresses, err
}

// selectGroup returns a group and its members. Those of a deleted group, until they are erased, are members no more.
func selectGroup(ctx context.Context, q sqlx.QueryerContext, address string) (*roster.Group, []roster.Membership, error) {
	group, err := roster.GroupTable.First(ctx, q, `SELECT `+roster.GroupTable.Columns()+` FROM groups WHERE group_id = $1`, address)
	if err == nil && group == nil {
		err = sql.ErrNoRows
	}
	if err != nil {
		return nil, nil, err
	}
	members, err := roster.MembershipTable.Select(ctx, q, `
		SELECT `+roster.MembershipTable.Of("memberships")+` FROM members JOIN memberships USING (user_id, group_id)
		WHERE members.group_id = $1 AND members.state = 'active' AND memberships.state = 'active' ORDER BY user_id`, address)
	return group, members, err
}

// selectEndedAfter returns the memberships after that of a user in a group that ended up to an id.
func selectEndedAfter(ctx context.Context, q sqlx.QueryerContext, user, group string, upTo messaging.ID, limit int) ([]roster.Membership, error) {
	return roster.MembershipTable.Select(ctx, q, `
		SELECT `+roster.MembershipTable.Columns()+` FROM memberships
		WHERE (user_id, group_id) > ($1, $2) AND state <> 'active' AND changed <= $3 ORDER BY user_id, group_id LIMIT $4`, user, group, upTo, limit)
}

// selectSettingsAfter returns the conversations after that of an owner and a peer that are muted, or have messages and are hidden.
func selectSettingsAfter(ctx context.Context, q sqlx.QueryerContext, owner, peer string, now time.Time, limit int) ([]messaging.ConversationSettings, error) {
	return messaging.Settings.Select(ctx, q, `
		SELECT `+messaging.Settings.Columns()+` FROM conversations
		WHERE (owner, peer) > ($1, $2) AND (muted_until > $3 OR hidden IS NOT NULL AND last_message_id > $4) ORDER BY owner, peer LIMIT $5`,
		owner, peer, now.UnixMicro(), messaging.ID{}, limit)
}

// selectMailboxesAfter returns the mailboxes of users and groups after an address.
func selectMailboxesAfter(ctx context.Context, q sqlx.QueryerContext, after string, limit int) (mailboxes []messaging.Mailbox, err error) {
	err = sqlx.SelectContext(ctx, q, &mailboxes, "SELECT user_id, clock FROM mailboxes WHERE user_id > $1 ORDER BY user_id LIMIT $2", after, limit)
	return mailboxes, err
}
