package messaging

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/searchindex"
	"github.com/message-service/message-service/internal/table"
	"github.com/message-service/message-service/internal/words"
)

// texts are the columns of a message that its index needs.
var texts = table.New("messages", append(messageColumns[:3:3], columnOf("text")))

func columnOf(name string) table.Column[Message] {
	for _, c := range messageColumns {
		if c.Name == name {
			return c
		}
	}
	panic("there is no column " + name)
}

// selectTail returns the oldest messages of an owner above an id, without metadata.
func selectTail(ctx context.Context, q sqlx.QueryerContext, e engine, owner string, after ID, limit int) ([]Message, error) {
	role := func(column string) string {
		return fmt.Sprintf("SELECT %s FROM messages WHERE %s AND deleted = false AND id > $2", texts.Columns(), inMailbox(column, "$1"))
	}
	found, err := texts.Select(ctx, q, e.merged(role("recipient"), role("sender"), "ORDER BY id LIMIT $3"), owner, after, limit)
	if err != nil {
		return nil, fmt.Errorf("select messages to index: %w", err)
	}
	return found, nil
}

// replaceWords replaces the words of indexed messages, whose mailboxes must be locked. Each has the
// words of its text taken out, or any words if its text is not known, and those of the new text put in; an
// erased one has none.
func replaceWords(ctx context.Context, tx *sqlx.Tx, list []Message, newText *string) error {
	var owners []string
	for i := range list {
		owners = append(owners, list[i].owners()...)
	}
	indexed, err := searchindex.Lock(ctx, tx, owners)
	if err != nil {
		return err
	}
	for owner, end := range indexed {
		var changes []searchindex.Change
		for i := range list {
			m := &list[i]
			if !slices.Contains(m.owners(), owner) || m.ID.Compare(end) > 0 {
				continue
			}
			change := searchindex.Change{ID: m.ID}
			if m.Text != "" {
				change.Old = indexWords(owner, m, m.Text)
			}
			if newText != nil {
				change.New = indexWords(owner, m, *newText)
			}
			changes = append(changes, change)
		}
		if err := searchindex.Replace(ctx, tx, owner, changes); err != nil {
			return err
		}
	}
	return nil
}

// lockMailbox locks a mailbox until the transaction ends, leaves its clock alone, and reports whether there is one.
func lockMailbox(ctx context.Context, tx *sqlx.Tx, owner string) (exists bool, err error) {
	result, err := tx.ExecContext(ctx, "UPDATE mailboxes SET clock = clock WHERE user_id = $1", owner)
	if err != nil {
		return false, fmt.Errorf("lock a mailbox: %w", err)
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// selectOwnersAfter returns the users who have mailboxes, in their order, after one.
func selectOwnersAfter(ctx context.Context, q sqlx.QueryerContext, after string, limit int) (owners []string, err error) {
	err = sqlx.SelectContext(ctx, q, &owners, "SELECT user_id FROM mailboxes WHERE user_id > $1 ORDER BY user_id LIMIT $2", after, limit)
	if err != nil {
		return nil, fmt.Errorf("select mailboxes: %w", err)
	}
	return owners, nil
}

// selectProgress returns how far the store was indexed by this version of the tokeniser.
func selectProgress(ctx context.Context, q sqlx.QueryerContext) (to string, done bool, err error) {
	var progress struct {
		To   string `db:"done_to"`
		Done bool   `db:"done"`
	}
	err = sqlx.GetContext(ctx, q, &progress, "SELECT done_to, done FROM search_progress WHERE version = $1", words.Version)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", false, fmt.Errorf("select the progress of indexing: %w", err)
	}
	return progress.To, progress.Done, nil
}

// saveProgress records how far the store was indexed. Another server may be further.
func saveProgress(ctx context.Context, tx *sqlx.Tx, to string, done bool) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO search_progress (version, done_to, done) VALUES ($1, $2, $3)
		ON CONFLICT (version) DO UPDATE SET done_to = excluded.done_to, done = excluded.done
		WHERE search_progress.done_to < excluded.done_to OR excluded.done`, words.Version, to, done)
	if err != nil {
		return fmt.Errorf("record the progress of indexing: %w", err)
	}
	return nil
}
