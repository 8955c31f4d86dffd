package messaging

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jmoiron/sqlx"
)

// eachRow calls fn with each row of a query, one at a time. A row is fn's to keep.
func eachRow[T any](ctx context.Context, q sqlx.QueryerContext, query string, fn func(*T) error) error {
	rows, err := q.QueryxContext(ctx, query)
	if err != nil {
		return fmt.Errorf("read the store: %w", err)
	}
	defer rows.Close() //nolint:errcheck // it is read to its end, or there is another error
	for rows.Next() {
		row := new(T)
		if err := rows.StructScan(row); err != nil {
			return fmt.Errorf("read the store: %w", err)
		}
		if err := fn(row); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read the store: %w", err)
	}
	return nil
}

func isEmpty(ctx context.Context, tx *sqlx.Tx) (bool, error) {
	var found int
	err := tx.GetContext(ctx, &found, `
		SELECT (SELECT count(*) FROM (SELECT 1 FROM messages LIMIT 1) AS m)
		     + (SELECT count(*) FROM (SELECT 1 FROM read_markers LIMIT 1) AS r)
		     + (SELECT count(*) FROM (SELECT 1 FROM blocks LIMIT 1) AS b)`)
	if err != nil {
		return false, fmt.Errorf("look into the store: %w", err)
	}
	return found == 0, nil
}

// raiseClocks sets mailbox clocks that are below the given ones.
func raiseClocks(ctx context.Context, tx *sqlx.Tx, clocks map[string]ID) error {
	args := make([]any, 0, 2*len(clocks))
	for _, user := range slices.Sorted(maps.Keys(clocks)) {
		args = append(args, user, clocks[user])
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO mailboxes (user_id, clock) VALUES `+placeholders(len(clocks), 2)+`
		ON CONFLICT (user_id) DO UPDATE SET clock = excluded.clock WHERE mailboxes.clock < excluded.clock`, args...)
	if err != nil {
		return fmt.Errorf("raise mailbox clocks: %w", err)
	}
	return nil
}

// insertStored inserts the messages of records as they are.
func insertStored(ctx context.Context, tx *sqlx.Tx, records []Record) error {
	if len(records) == 0 {
		return nil
	}
	args := make([]any, 0, 10*len(records))
	for _, r := range records {
		m := r.Message
		args = append(args, m.Recipient, m.ID, m.Sender, m.Text, nullable(m.Metadata), m.ReplyTo,
			nullable(m.IdempotencyKey), m.Fingerprint, m.Changed, m.Deleted)
	}
	var ids []ID
	err := tx.SelectContext(ctx, &ids, `
		INSERT INTO messages (recipient, id, sender, text, metadata, reply_to, idempotency_key, fingerprint, changed, deleted)
		VALUES `+placeholders(len(records), 10)+`
		ON CONFLICT (recipient, sender, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING RETURNING id`, args...)
	if err != nil {
		return fmt.Errorf("store messages: %w", err)
	}
	inserted := make(map[ID]bool, len(ids))
	for _, id := range ids {
		inserted[id] = true
	}
	for _, r := range records {
		if !inserted[r.Message.ID] {
			return fmt.Errorf("line %d: the idempotency key is that of an earlier message of the same sender and recipient", r.Line)
		}
	}
	return nil
}
