package messaging

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
)

const messageColumns = "id, sender, recipient, text, coalesce(metadata, '') AS metadata, reply_to, changed, deleted"

// selectPage runs a statement that selects messageColumns, in the order of a window and up
// to one more than its limit, and makes a page of the rows: up to the limit, or to the row
// with which it has [PageMaxBytes]. It does not read the others. Most of what a page takes is
// that: sqlx would look up the place of each value by its name.
//
// A row that is the same as the one before it counts, and is left out: a page of those is
// short, and may have no more after it than the ones it has left out.
func selectPage(ctx context.Context, q sqlx.QueryerContext, limit int, query string, args ...any) (Page, error) {
	rows, err := q.QueryxContext(ctx, query, args...)
	if err != nil {
		return Page{}, fmt.Errorf("select messages: %w", err)
	}
	defer rows.Close() //nolint:errcheck // it is read as far as needed, or there is another error
	page := Page{Messages: make([]Message, 0, limit)}
	var m Message
	var bytes pageBytes
	columns := []any{&m.ID, &m.Sender, &m.Recipient, &m.Text, &m.Metadata, &m.ReplyTo, &m.Changed, &m.Deleted}
	full := false
	for n := 1; rows.Next(); n++ {
		if page.HasMore = full || n > limit; page.HasMore {
			break
		}
		if err := rows.Scan(columns...); err != nil {
			return Page{}, fmt.Errorf("select messages: %w", err)
		}
		if last := len(page.Messages) - 1; last >= 0 && page.Messages[last].ID == m.ID {
			continue
		}
		page.Messages = append(page.Messages, m)
		full = bytes.passed(page.Messages, PageMaxBytes)
	}
	if err := rows.Err(); err != nil {
		return Page{}, fmt.Errorf("select messages: %w", err)
	}
	return page, nil
}

// everyID is the id to those who look for it among everyone's; the index of all ids is
// of this expression, after deleted. Were it of the id as such, Postgres would take it to list
// one user's messages in the order of ids, and walk everyone's: a good guess where they are
// spread evenly, and far off where a mailbox has been quiet.
const everyID = "coalesce(id, id)"

const storedColumns = messageColumns + ", key_hash, fingerprint"

// StoredMessage is a message with the record of its idempotency key.
type StoredMessage struct {
	Message
	KeyRecord
}

// insertMessages stores messages that are new, in the order of their ids, and returns the ids
// of those it has stored: not of those whose idempotency key is taken.
func insertMessages(ctx context.Context, tx *sqlx.Tx, messages []*StoredMessage) (stored []ID, err error) {
	if len(messages) == 0 {
		return nil, nil
	}
	messages = slices.SortedFunc(slices.Values(messages), func(a, b *StoredMessage) int { return a.ID.Compare(b.ID) })
	args := make([]any, 0, 8*len(messages))
	for _, m := range messages {
		args = append(args, m.Recipient, m.ID, m.Sender, m.Text, nullable(m.Metadata), m.ReplyTo, m.Hash, m.Fingerprint)
	}
	err = tx.SelectContext(ctx, &stored, tx.Rebind(insertNew("VALUES "+rowsOf(len(messages), "(?,?,?,?,?,?,?,?)"))+" RETURNING id"), args...)
	if err != nil {
		return nil, fmt.Errorf("insert messages: %w", err)
	}
	return stored, nil
}

// insertNew writes a statement that stores rows as messages, unless their idempotency keys are taken.
func insertNew(rows string) string {
	return `INSERT INTO messages (recipient, id, sender, text, metadata, reply_to, key_hash, fingerprint) ` + rows + `
		ON CONFLICT (recipient, sender, key_hash) WHERE key_hash IS NOT NULL DO NOTHING`
}

// selectKeyed returns the messages that hold the idempotency keys of some others. The first
// row of the values holds none: it tells Postgres the type of a hash.
func selectKeyed(ctx context.Context, tx *sqlx.Tx, messages []*StoredMessage) ([]StoredMessage, error) {
	args := make([]any, 0, 3*len(messages))
	for _, m := range messages {
		args = append(args, m.Recipient, m.Sender, m.Hash)
	}
	var found []StoredMessage
	err := tx.SelectContext(ctx, &found, tx.Rebind(`
		SELECT `+storedColumns+` FROM messages
		WHERE key_hash IS NOT NULL
		AND (recipient, sender, key_hash) IN (VALUES ('', '', (SELECT key_hash FROM messages LIMIT 0)), `+rowsOf(len(messages), "(?,?,?)")+`)`), args...)
	if err != nil {
		return nil, fmt.Errorf("select by idempotency key: %w", err)
	}
	return found, nil
}

// selectMessage returns a message, deleted or not, or nil.
func selectMessage(ctx context.Context, q sqlx.QueryerContext, id ID) (*Message, error) {
	var m Message
	err := sqlx.GetContext(ctx, q, &m, `SELECT `+messageColumns+` FROM messages WHERE deleted IN (false, true) AND `+everyID+` = $1`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil //nolint:nilnil // no message is an answer, not an error
	}
	if err != nil {
		return nil, fmt.Errorf("select message: %w", err)
	}
	return &m, nil
}

// selectRepliedTo returns the messages that some reply to, by id, deleted or not.
func selectRepliedTo(ctx context.Context, tx *sqlx.Tx, replies []*StoredMessage) (map[ID]*Message, error) {
	if len(replies) == 0 {
		return nil, nil //nolint:nilnil // an empty map
	}
	ids := make([]any, len(replies))
	for i, m := range replies {
		ids[i] = *m.ReplyTo
	}
	var found []Message
	err := tx.SelectContext(ctx, &found, tx.Rebind(`
		SELECT id, sender, recipient FROM messages WHERE deleted IN (false, true) AND `+everyID+` IN (`+rowsOf(len(ids), "?")+`)`), ids...)
	if err != nil {
		return nil, fmt.Errorf("select replied to: %w", err)
	}
	messages := make(map[ID]*Message, len(found))
	for i := range found {
		messages[found[i].ID] = &found[i]
	}
	return messages, nil
}

// selectMessages returns what a query without words selects, for Service.page.
func selectMessages(ctx context.Context, q sqlx.QueryerContext, query Query, bounds idRange) (Page, error) {
	where, args := query.where(bounds)
	id := "id"
	if query.Recipient == "" && query.Sender == "" {
		id = everyID
	}
	if query.Recipient != "" && query.Sender != "" {
		ctx = db.Unprepared(ctx) // else it may walk over what others have sent to the recipient
	}
	args = append(args, query.Limit+1)
	return selectPage(ctx, q, query.Limit, fmt.Sprintf("SELECT %s FROM messages WHERE %s ORDER BY %s %s LIMIT $%d",
		messageColumns, where, id, query.direction(), len(args)), args...)
}

// where writes the condition of a query, words aside, and its arguments.
func (q Query) where(bounds idRange) (condition string, args []any) {
	id, args := everyID, []any{bounds.low, bounds.high}
	for _, column := range []struct{ name, value string }{{"recipient", q.Recipient}, {"sender", q.Sender}} {
		if column.value != "" {
			args = append(args, column.value)
			condition += fmt.Sprintf(" AND %s = $%d", column.name, len(args))
			id = "id"
		}
	}
	return fmt.Sprintf("%s >= $1 AND %[1]s < $2 AND deleted = false%s", id, condition), args
}

func (w Window) direction() string {
	if w.Upward() {
		return "ASC"
	}
	return "DESC"
}

// selectBoth returns the messages that either of two statements selects, in the
// direction of the window and up to one more than its limit, the first of two that
// are the same. Both statements are in that order and have that limit: it is no more
// than a page that remains to be put together, and no planner has to see how. They
// are run as one, so that nothing can come between them.
func selectBoth[M any](
	ctx context.Context, q sqlx.QueryerContext, w Window, a, b string, id func(M) ID, args ...any,
) ([]M, error) {
	messages := make([]M, 0, 2*(w.Limit+1))
	err := sqlx.SelectContext(ctx, q, &messages, "SELECT * FROM ("+a+") AS a UNION ALL SELECT * FROM ("+b+") AS b", args...)
	if err != nil {
		return nil, fmt.Errorf("select messages of both directions: %w", err)
	}
	slices.SortFunc(messages, func(a, b M) int {
		if w.Upward() {
			return id(a).Compare(id(b))
		}
		return id(b).Compare(id(a))
	})
	messages = slices.CompactFunc(messages, func(a, b M) bool { return id(a) == id(b) })
	return messages[:min(len(messages), w.Limit+1)], nil
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
		edited.Text, nullable(edited.Metadata), changed, m.Recipient, m.ID)
	if err != nil {
		return nil, fmt.Errorf("edit message: %w", err)
	}
	return &edited, nil
}

// What becomes of the idempotency key of a message that is deleted. A tombstone keeps its
// record, so that a request on its way makes no new message, unless its user is erased.
const (
	keepKeys   = ""
	forgetKeys = ", key_hash = NULL, fingerprint = NULL"
)

// writeTombstones writes tombstones over messages, whose mailboxes must be locked. The first row
// of the values is of none: it tells Postgres the types.
func writeTombstones(ctx context.Context, tx *sqlx.Tx, messages []Message, changed []ID, keys string) error {
	if len(messages) == 0 {
		return nil
	}
	args := make([]any, 0, 3*len(messages))
	for i := range messages {
		args = append(args, messages[i].Recipient, messages[i].ID, changed[i])
	}
	_, err := tx.ExecContext(ctx, tx.Rebind(`
		UPDATE messages SET text = '', metadata = NULL, reply_to = NULL, deleted = true, changed = column3`+keys+`
		FROM (VALUES ((SELECT recipient FROM messages LIMIT 0), (SELECT id FROM messages LIMIT 0), (SELECT id FROM messages LIMIT 0)), `+
		rowsOf(len(messages), "(?,?,?)")+`) AS tombstone
		WHERE recipient = column1 AND deleted = false AND id = column2`), args...)
	if err != nil {
		return fmt.Errorf("write tombstones: %w", err)
	}
	return nil
}

// nullable stores an empty string as NULL.
func nullable(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }

// rowsOf repeats a row of a VALUES list.
func rowsOf(n int, row string) string { return db.RowsOf(n, row) }
