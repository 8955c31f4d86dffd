package messaging

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/jmoiron/sqlx"
)

const messageColumns = "id, sender, recipient, text, coalesce(metadata, '') AS metadata, changed, deleted"

// insertMessages stores the drafts under the ids of their messages, which it
// fills in. A draft whose idempotency key is taken is not stored, and left out of
// the result.
func insertMessages(ctx context.Context, tx *sqlx.Tx, sends []*send) ([]*Message, error) {
	sorted := slices.SortedFunc(slices.Values(sends), func(a, b *send) int {
		if c := strings.Compare(a.draft.Recipient, b.draft.Recipient); c != 0 {
			return c
		}
		return a.change.id.Compare(b.change.id)
	})
	args := make([]any, 0, 7*len(sorted))
	for _, s := range sorted {
		d := &s.draft
		var fingerprint []byte
		if d.IdempotencyKey != "" {
			fingerprint = d.fingerprint()
		}
		args = append(args, d.Recipient, s.change.id, d.Sender, d.Text, nullable(d.Metadata), nullable(d.IdempotencyKey), fingerprint)
	}
	var ids []ID
	err := tx.SelectContext(ctx, &ids, `
		INSERT INTO messages (recipient, id, sender, text, metadata, idempotency_key, fingerprint)
		VALUES `+placeholders(len(sorted), 7)+`
		ON CONFLICT (recipient, sender, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
		RETURNING id`, args...)
	if err != nil {
		return nil, fmt.Errorf("insert messages: %w", err)
	}
	stored := make(map[ID]bool, len(ids))
	for _, id := range ids {
		stored[id] = true
	}
	messages := make([]*Message, 0, len(ids))
	for _, s := range sends {
		if s.stored = stored[s.change.id]; s.stored {
			d := &s.draft
			s.message = Message{ID: s.change.id, Sender: d.Sender, Recipient: d.Recipient, Text: d.Text, Metadata: d.Metadata}
			messages = append(messages, &s.message)
		}
	}
	return messages, nil
}

// keyedMessage is a message with what its idempotency key needs.
type keyedMessage struct {
	Message

	IdempotencyKey string `db:"idempotency_key"`
	Fingerprint    []byte `db:"fingerprint"`
}

// selectKeyed returns the messages that hold the idempotency keys of the drafts.
func selectKeyed(ctx context.Context, tx *sqlx.Tx, sends []*send) ([]keyedMessage, error) {
	args := make([]any, 0, 3*len(sends))
	for _, s := range sends {
		args = append(args, s.draft.Recipient, s.draft.Sender, s.draft.IdempotencyKey)
	}
	var found []keyedMessage
	err := tx.SelectContext(ctx, &found, `
		SELECT `+messageColumns+`, idempotency_key, fingerprint FROM messages
		WHERE idempotency_key IS NOT NULL
		AND (recipient, sender, idempotency_key) IN (VALUES `+placeholders(len(sends), 3)+`)`, args...)
	if err != nil {
		return nil, fmt.Errorf("select by idempotency key: %w", err)
	}
	return found, nil
}

// selectMessage returns a message, deleted or not, or nil.
func selectMessage(ctx context.Context, q sqlx.QueryerContext, id ID) (*Message, error) {
	var m Message
	err := sqlx.GetContext(ctx, q, &m, `SELECT `+messageColumns+` FROM messages WHERE id = $1`, id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil //nolint:nilnil // no message is an answer, not an error
	}
	if err != nil {
		return nil, fmt.Errorf("select message: %w", err)
	}
	return &m, nil
}

// selectMessages returns one message more than the limit, if there are so many,
// in the order of the query.
func selectMessages(ctx context.Context, q sqlx.QueryerContext, query Query, bounds idRange) ([]Message, error) {
	args := []any{bounds.low, bounds.high}
	where := "id >= $1 AND id < $2 AND NOT deleted"
	if query.Recipient != "" {
		args = append(args, query.Recipient)
		where += " AND recipient = $" + strconv.Itoa(len(args))
	}
	if query.Sender != "" {
		args = append(args, query.Sender)
		where += " AND sender = $" + strconv.Itoa(len(args))
	}
	order := "DESC"
	if query.Upward() {
		order = "ASC"
	}
	args = append(args, query.Limit+1)
	messages := make([]Message, 0, query.Limit+1)
	err := sqlx.SelectContext(ctx, q, &messages, fmt.Sprintf(
		"SELECT %s FROM messages WHERE %s ORDER BY id %s LIMIT $%d", messageColumns, where, order, len(args)), args...)
	if err != nil {
		return nil, fmt.Errorf("select messages: %w", err)
	}
	return messages, nil
}

// newPage makes a page of what selectMessages returned.
func newPage(messages []Message, query Query) Page {
	page := Page{Messages: messages}
	if len(messages) > query.Limit {
		page.Messages, page.HasMore = messages[:query.Limit], true
	}
	if query.Upward() {
		slices.Reverse(page.Messages)
	}
	return page
}

// eraseMessage makes a message a tombstone.
func eraseMessage(ctx context.Context, tx *sqlx.Tx, m *Message, changed ID) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE messages SET text = '', metadata = NULL, reply_to = NULL, deleted = true, changed = $1
		WHERE recipient = $2 AND id = $3 AND NOT deleted`, changed, m.Recipient, m.ID)
	if err != nil {
		return fmt.Errorf("erase message: %w", err)
	}
	return nil
}

// nullable stores an empty string as NULL.
func nullable(s string) sql.NullString { return sql.NullString{String: s, Valid: s != ""} }

// placeholders writes the parameters of a VALUES list: ($1,$2),($3,$4) for two
// rows of two columns.
func placeholders(rows, columns int) string {
	b := make([]byte, 0, rows*(columns*6+2))
	for i := range rows * columns {
		switch {
		case i == 0:
			b = append(b, '(')
		case i%columns == 0:
			b = append(b, "),("...)
		default:
			b = append(b, ',')
		}
		b = append(b, '$')
		b = strconv.AppendInt(b, int64(i+1), 10)
	}
	return string(append(b, ')'))
}
