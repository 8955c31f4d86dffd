package messaging

import (
	"context"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/mailbox"
	"github.com/message-service/message-service/internal/roster"
	"github.com/message-service/message-service/internal/table"
)

// selectPage runs a statement that selects the columns of messages, in the order of a window and up
// to one more than its limit, and makes a page of the rows. It does not read those that come after the page.
func selectPage(ctx context.Context, q sqlx.QueryerContext, limit int, query string, args ...any) (Page, error) {
	page := pageOfRows{limit: limit}
	var m Message
	pointers := messages.Pointers(&m)
	err := db.Each(ctx, q, func(row []driver.Value) (enough bool, err error) {
		if page.ends() {
			return true, nil
		}
		if err := setRow(pointers, row); err != nil {
			return false, err
		}
		page.add(&m)
		return false, nil
	}, query, args...)
	if err != nil {
		return Page{}, fmt.Errorf("select messages: %w", err)
	}
	return page.Page, nil
}

// inMailbox writes the condition that a message is in the mailbox of an owner as one that they received
// or, with the role "sender", sent to a user. What is sent to a group is in the group's mailbox. Its address
// begins with ~ and so sorts above those of users; the indexes by sender are split there.
func inMailbox(role, owner string) string {
	condition := role + " = " + owner
	if role == "sender" {
		condition += " AND recipient < '~'"
	}
	return condition
}

// owners are those of the mailboxes in which a message is; see inMailbox.
func (m *Message) owners() []string {
	if m.Sender == m.Recipient || roster.IsGroup(m.Recipient) {
		return []string{m.Recipient}
	}
	return []string{m.Recipient, m.Sender}
}

// EveryID is the expression of the id that the index of all users' messages has. If the index had
// the plain id, Postgres might choose it to list one user's messages in the order of ids, and scan
// everyone's messages: fast if they are spread evenly, but very slow for a mailbox that has been
// quiet for long.
const EveryID = "coalesce(id, id)"

// The conditions by which that index finds ids.
const (
	notDeleted = "deleted = false"
	anyDeleted = "deleted IN (false, true)"
)

// InsertMessages stores messages in the order of their ids, except those whose idempotency keys
// are taken, and returns the ids of the stored ones.
func InsertMessages(ctx context.Context, tx *sqlx.Tx, list []*StoredMessage) (stored []ID, err error) {
	if len(list) == 0 {
		return nil, nil
	}
	list = slices.SortedFunc(slices.Values(list), func(a, b *StoredMessage) int { return a.ID.Compare(b.ID) })
	return dialects[tx.DriverName()].insertMessages(ctx, tx, list)
}

// unlessTaken is the clause of an INSERT that skips messages whose idempotency keys are taken.
const unlessTaken = `
	ON CONFLICT (recipient, sender, key_hash) WHERE key_hash IS NOT NULL DO NOTHING`

// inLiveGroup is the condition that a message, which is to a group, is to one that is not deleted. Postgres makes no join of
// it, with which it might read all groups.
const inLiveGroup = "(SELECT own.deleted FROM groups AS own WHERE own.group_id = recipient) = false"

// InNoDeletedGroup is the condition that a message is to a user, or to a group that is not deleted.
const InNoDeletedGroup = "(recipient < '~' OR " + inLiveGroup + ")"

// selectMessage returns a message, deleted or not, or nil. For a user one that they may not see is none: one
// between others, or of a group of which they are not a member, or from before they could see its messages.
func selectMessage(ctx context.Context, q sqlx.QueryerContext, caller Caller, id ID) (*Message, error) {
	statement, args := `SELECT `+messages.Columns()+` FROM messages WHERE `+anyDeleted+` AND `+EveryID+` = $1`, []any{id}
	if caller.service {
		statement += ` AND ` + InNoDeletedGroup
	} else {
		statement, args = statement+` AND (recipient < '~' AND $2 IN (recipient, sender) OR EXISTS (
			SELECT 1 FROM memberships WHERE user_id = $2 AND group_id = recipient AND state = 'active' AND visible_from <= id))`, append(args, caller.user)
	}
	m, err := messages.First(ctx, q, statement, args...)
	if err != nil {
		return nil, fmt.Errorf("select message: %w", err)
	}
	return m, nil
}

// selectVisible returns the range of ids of the messages of a group that a reader may see now, or nil if there is no
// such group, or the reader is a user who is not a member of it.
func selectVisible(ctx context.Context, q sqlx.QueryerContext, reader Caller, group string) (*idRange, error) {
	if reader.service {
		found, err := selectGroupFor(ctx, q, reader, group)
		if found == nil || err != nil {
			return nil, err
		}
		return &idRange{high: mailbox.LastID}, nil
	}
	var found []struct {
		From  ID `db:"visible_from"`
		Clock ID
	}
	err := sqlx.SelectContext(ctx, q, &found, `
		SELECT visible_from, clock FROM memberships AS m JOIN mailboxes AS b ON b.user_id = m.group_id
		WHERE m.group_id = $1 AND m.user_id = $2 AND m.state = 'active'`, group, reader.user)
	if err != nil {
		return nil, fmt.Errorf("select what is visible in a group: %w", err)
	}
	if len(found) == 0 {
		return nil, nil //nolint:nilnil // no group is an answer, not an error
	}
	return &idRange{low: found[0].From, high: found[0].Clock.Successor()}, nil
}

// selectMessages returns what a query without words selects, for Service.page.
func selectMessages(ctx context.Context, q sqlx.QueryerContext, e engine, query Query, bounds idRange) (Page, error) {
	where, args := query.where(e, bounds)
	id := "id"
	if query.Recipient == "" && query.Sender == "" {
		id = EveryID
	}
	args = append(args, query.Limit+1)
	limit := fmt.Sprintf("$%d", len(args))
	if query.Recipient != "" && query.Sender != "" {
		limit = unknownLimit(limit)
	}
	return selectPage(ctx, q, query.Limit, fmt.Sprintf("SELECT %s FROM messages WHERE %s ORDER BY %s %s LIMIT %s",
		messages.Columns(), where, id, query.direction(), limit), args...)
}

// unknownLimit writes a limit that the planner does not know, so that it expects that only the first rows are wanted. It
// knows how much a sender writes to anyone, but not how much to one recipient. If it expects less than a limit that it knows,
// it reads all and sorts them.
func unknownLimit(limit string) string { return "(SELECT CAST(" + limit + " AS bigint))" }

// where writes the condition of a query, without its words, and the arguments.
func (q Query) where(e engine, bounds idRange) (condition string, args []any) {
	id, args := "id", []any{bounds.low, bounds.high}
	switch {
	case q.Recipient != "" && q.Sender != "":
		condition, args = e.between("$3", "$4"), append(args, q.Recipient, q.Sender)
	case q.Recipient != "":
		condition, args = inMailbox("recipient", "$3"), append(args, q.Recipient)
	case q.Sender != "":
		condition, args = inMailbox("sender", "$3"), append(args, q.Sender)
	default:
		id, condition = EveryID, InNoDeletedGroup
	}
	return fmt.Sprintf("%s >= $1 AND %[1]s < $2 AND deleted = false AND %s", id, condition), args
}

func (w Window) direction() string {
	if w.Upward() {
		return "ASC"
	}
	return "DESC"
}

// editMessage replaces parts of a message, which is not deleted, and returns what it is now.
func editMessage(ctx context.Context, tx *sqlx.Tx, m *Message, edit Edit, changed ID) (*Message, error) {
	edited := *m
	edited.Changed = &changed
	if edit.Text != nil {
		edited.Text = *edit.Text
	}
	if edit.Metadata != nil {
		edited.Metadata = *edit.Metadata
	}
	_, err := tx.ExecContext(ctx, `
		UPDATE messages SET text = $1, metadata = $2, changed = $3 WHERE recipient = $4 AND deleted = false AND id = $5`,
		edited.Text, table.OptionalJSON(edited.Metadata), changed, m.Recipient, m.ID)
	if err != nil {
		return nil, fmt.Errorf("edit message: %w", err)
	}
	return &edited, nil
}

// What a deletion does with the idempotency key. A tombstone keeps its record, so that a retried
// request stores no new message, unless a user is erased.
const (
	keepKeys   = ""
	forgetKeys = ", key_hash = NULL, fingerprint = NULL"
)

// erased is the part of a SET clause by which a deletion erases the content.
var erased = func() (set string) {
	for _, c := range messageColumns {
		if c.Erased != "" {
			set += c.Name + " = " + c.Erased + ", "
		}
	}
	return set
}()

// tombstoneRows writes a table of rows with the recipient and id of messages, and more ids. Its first row matches
// nothing: it gives the columns their types in Postgres. The limit, which leaves no row out, tells SQLite how few rows there
// are: without one it supposes a million, and reads the index of all messages instead of looking these few up.
func tombstoneRows(n, ids int) string {
	types := "(SELECT recipient FROM messages LIMIT 0)" + strings.Repeat(", (SELECT id FROM messages LIMIT 0)", ids)
	row := "(?" + strings.Repeat(",?", ids) + ")"
	return fmt.Sprintf("(SELECT * FROM (VALUES (%s), %s) AS listed LIMIT %d) AS tombstone", types, db.RowsOf(n, row), n+1)
}

// writeTombstones turns messages, whose mailboxes must be locked, into tombstones.
func writeTombstones(ctx context.Context, tx *sqlx.Tx, deleted []Message, changed []ID, keys string) error {
	if len(deleted) == 0 {
		return nil
	}
	args := make([]any, 0, 3*len(deleted))
	for i := range deleted {
		args = append(args, deleted[i].Recipient, deleted[i].ID, changed[i])
	}
	_, err := tx.ExecContext(ctx, tx.Rebind(`
		UPDATE messages SET `+erased+`deleted = true, changed = column3`+keys+`
		FROM `+tombstoneRows(len(deleted), 2)+`
		WHERE recipient = column1 AND deleted = false AND id = column2`), args...)
	if err != nil {
		return fmt.Errorf("write tombstones: %w", err)
	}
	return nil
}
