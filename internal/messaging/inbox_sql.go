package messaging

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/roster"
	"github.com/message-service/message-service/internal/table"
)

// directLines writes a select of the lines that a user's ($1) inbox has for other users and for themselves, as far
// as the conditions on a line hold. The position of a line is the id of its last message; that of a conversation which
// has ended, but is muted, is the zero id ($3), see endConversation.
func directLines(where string) string {
	return `
		SELECT owner, peer, last_message_id, last_message_id AS position, CAST(NULL AS uuid) AS since, hidden, muted_until,
		       '' AS name, 0 AS member_count
		FROM conversations WHERE owner = $1` + strings.ReplaceAll(where, "position", "last_message_id") // as the index has it
}

// groupLines is directLines for the groups of which the user is a member. The last message is one that they may
// see. The position is that or, if it is later, since when they are a member: so a group has one before its first
// message.
func groupLines(e engine, where string) string {
	return `
		SELECT owner, peer, last_message_id, position, since, hidden, muted_until, name, member_count
		FROM (SELECT *, CASE WHEN last_message_id > since THEN last_message_id ELSE since END AS position
		      FROM (SELECT own.user_id AS owner, own.group_id AS peer, own.since, own.hidden, own.muted_until, g.name, g.member_count,
		                   CASE WHEN g.last_message_id >= own.visible_from THEN g.last_message_id END AS last_message_id
		            FROM memberships AS own ` + e.lookup("groups", "g", "g.group_id = own.group_id") + `
		            WHERE own.user_id = $1 AND own.state = 'active') AS visible) AS placed
		WHERE true` + where
}

// shownBelow is the condition on lines that are in the inbox, not ended, and have a position below an id ($2). A hidden
// one is in the inbox again once there is something newer.
const shownBelow = ` AND position > $3 AND position < $2 AND (hidden IS NULL OR position > hidden)`

// hiddenBelow is the same for lines that are hidden. The groups of which nothing was ever hidden are not looked up.
const hiddenBelow = ` AND position > $3 AND position < $2 AND hidden IS NOT NULL AND position <= hidden`

// readInGroup is up to where the user of a line c, whose read marker is mine, has read a group: at least since when they
// are a member.
const readInGroup = "CASE WHEN mine.message_id > c.since THEN mine.message_id ELSE c.since END"

// unread writes the expression that counts the unread messages of a line c, whose read marker is mine. It
// looks at up to UnreadMax entries of one range of one index, or at the newest unreadScan messages of a group,
// among which may be the user's own.
func unread(e engine) string {
	return fmt.Sprintf(`
	CASE WHEN c.since IS NULL THEN (
		SELECT count(*) FROM (
			SELECT 1 FROM messages AS unread
			WHERE %[4]s AND unread.id > coalesce(mine.message_id, $3)
			AND unread.deleted = false AND c.owner <> c.peer ORDER BY unread.id LIMIT %[1]d) AS counted)
	ELSE (
		SELECT count(*) FROM (
			SELECT 1 FROM (
				SELECT sender FROM messages AS newest
				WHERE newest.recipient = c.peer AND newest.id > %[3]s
				AND newest.deleted = false ORDER BY newest.id DESC LIMIT %[2]d) AS newest
			WHERE sender <> c.owner LIMIT %[1]d) AS counted)
	END`, UnreadMax, unreadScan, readInGroup, e.between("c.owner", "c.peer"))
}

// conversations are the rows of conversationsOf.
var conversations = table.New("", slices.Concat(
	[]table.Column[Conversation]{
		{Name: "peer", Field: func(c *Conversation) any { return &c.Peer }},
		{Name: "position", Field: func(c *Conversation) any { return &c.Position }},
		{Name: "name", Field: func(c *Conversation) any { return &c.Group.Name }},
		{Name: "member_count", Field: func(c *Conversation) any { return &c.Group.MemberCount }},
		{Name: "muted_until", Field: func(c *Conversation) any { return table.OptionalTime{Field: &c.MutedUntil} }},
		{Name: "hidden", Field: func(c *Conversation) any { return &c.Hidden }},
		{Name: "unread", Field: func(c *Conversation) any { return &c.Unread }},
	},
	table.Within(func(c *Conversation) *Message { return &c.LastMessage }, messageColumns),
	table.Within(func(c *Conversation) *ReadMarker { return &c.Marker }, markerColumns),
	table.Within(func(c *Conversation) *ReadMarker { return &c.PeerMarker }, markerColumns)))

// conversationsOf writes the statement that selects lines with their last messages, read markers and unread counts, and the
// mutes that are not over at a time ($4).
func conversationsOf(e engine, lines string) string {
	return `
	SELECT c.peer, c.position, c.name, c.member_count, CASE WHEN c.muted_until > $4 THEN c.muted_until END AS muted_until,
	       coalesce(c.position <= c.hidden, c.position = $3) AS hidden, ` + unread(e) + ` AS unread,
	       ` + messages.OfAny("m") + `, ` + ReadMarkers.OfAny("mine") + `, ` + ReadMarkers.OfAny("theirs") + `
	FROM (` + lines + `) AS c
	` + e.lookup("messages", "m", "m.deleted = false AND coalesce(m.id, m.id) = c.last_message_id") + ` -- see EveryID
	` + e.lookup("read_markers", "mine", "mine.owner = c.owner AND mine.peer = c.peer") + `
	` + e.lookup("read_markers", "theirs", "theirs.owner = c.peer AND theirs.peer = c.owner")
}

// inboxRange are the lines of a user's inbox with positions below an id, the newest first, as they are at a time.
type inboxRange struct {
	user  string
	below ID
	now   time.Time
	limit int
}

// selectConversations returns the conversations of a range, shown or hidden ones.
func selectConversations(ctx context.Context, q sqlx.QueryerContext, e engine, where string, r inboxRange) ([]Conversation, error) {
	lines := e.merged(directLines(where), groupLines(e, where), "ORDER BY position DESC LIMIT $5")
	found, err := conversations.Select(ctx, q, conversationsOf(e, lines), r.user, r.below, ID{}, r.now.UnixMicro(), r.limit)
	if err != nil {
		return nil, fmt.Errorf("select conversations: %w", err)
	}
	slices.SortFunc(found, func(a, b Conversation) int { return b.Position.Compare(a.Position) })
	return found, nil
}

// selectConversation returns a user's conversation with a peer, hidden or not, or nil. One that has ended is there as long
// as it is muted.
func selectConversation(ctx context.Context, q sqlx.QueryerContext, e engine, user, peer string, now time.Time) (*Conversation, error) {
	const ofPeer = " AND peer = $2 AND (position > $3 OR muted_until > $4)"
	line := directLines(ofPeer)
	if roster.IsGroup(peer) {
		line = groupLines(e, ofPeer)
	}
	c, err := conversations.First(ctx, q, conversationsOf(e, line), user, peer, ID{}, now.UnixMicro())
	if err != nil {
		return nil, fmt.Errorf("select conversation: %w", err)
	}
	return c, nil
}

// editConversation replaces parts of a conversation of a user. A hidden one stays hidden up to where it is, and one that
// has ended until there is a message again.
func editConversation(ctx context.Context, tx *sqlx.Tx, user string, c *Conversation, edit ConversationEdit) error {
	rows, peer := "conversations", "owner = ? AND peer = ?"
	if roster.IsGroup(c.Peer) {
		rows, peer = "memberships", "state = 'active' AND user_id = ? AND group_id = ?"
	}
	var set []string
	var args []any
	if edit.MutedUntil != nil {
		set, args = append(set, "muted_until = ?"), append(args, table.OptionalTime{Field: edit.MutedUntil})
	}
	if edit.Hidden != nil && c.Position != (ID{}) {
		var hidden *ID
		if *edit.Hidden {
			hidden = &c.Position
		}
		set, args = append(set, "hidden = ?"), append(args, hidden)
	}
	if len(set) == 0 {
		return nil
	}
	statement := "UPDATE " + rows + " SET " + strings.Join(set, ", ") + " WHERE " + peer
	if _, err := tx.ExecContext(ctx, tx.Rebind(statement), append(args, user, c.Peer)...); err != nil {
		return fmt.Errorf("edit conversation: %w", err)
	}
	return nil
}

// countedLine is a line of an inbox with its number of unread messages.
type countedLine struct {
	Position ID
	Unread   int
	Own      int // messages of the user in a group after their marker, up to unreadScan: among them are those that were looked at
}

// own writes the expression that counts what the user of a line c has sent to a group after their read marker mine: up
// to unreadScan entries of one range of one index.
func own(e engine) string {
	return fmt.Sprintf(`
	(SELECT count(*) FROM (
		SELECT 1 FROM messages AS sent
		WHERE %[3]s AND sent.id > %[2]s
		AND sent.deleted = false ORDER BY sent.id LIMIT %[1]d) AS counted)`, unreadScan, readInGroup, e.between("c.peer", "c.owner"))
}

// selectUnread counts the unread messages of the lines of a range that are not muted.
func selectUnread(ctx context.Context, q sqlx.QueryerContext, e engine, r inboxRange) (lines []countedLine, err error) {
	const heard = shownBelow + ` AND (muted_until IS NULL OR muted_until <= $5)`
	const isNewer = `CASE WHEN c.last_message_id > coalesce(mine.message_id, $3) THEN `
	err = sqlx.SelectContext(ctx, q, &lines, `
		SELECT c.position, `+isNewer+unread(e)+` ELSE 0 END AS unread, `+isNewer+own(e)+` ELSE 0 END AS own
		FROM (`+e.merged(directLines(heard), groupLines(e, heard), "ORDER BY position DESC LIMIT $4")+`) AS c
		`+e.lookup("read_markers", "mine", "mine.owner = c.owner AND mine.peer = c.peer")+`
		ORDER BY c.position DESC`, r.user, r.below, ID{}, r.limit, r.now.UnixMicro())
	if err != nil {
		return nil, fmt.Errorf("count unread messages: %w", err)
	}
	return lines, nil
}
