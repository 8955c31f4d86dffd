package messaging

import (
	"context"
	"errors"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
)

// storeBatch is all that a batch does, as one statement of Postgres: it locks the
// mailboxes in the order of their users and sets the clocks. If all of those were behind
// the ids, and nobody among the users has ever blocked anyone, it stores the messages
// whose keys are new, and touches their conversations. What it reads after it has waited
// for the locks is what it has locked.
const storeBatch = `
	WITH drafts AS (
		SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::bytea[])
			AS draft (recipient, id, sender, text, metadata, key_hash, fingerprint)
	), clocks AS (
		SELECT DISTINCT ON (user_id) user_id, id FROM (
			SELECT recipient COLLATE "C" AS user_id, id FROM drafts UNION ALL SELECT sender COLLATE "C", id FROM drafts
		) AS sides ORDER BY user_id, id DESC
	), locked AS (
		INSERT INTO mailboxes (user_id, clock) SELECT user_id, id FROM clocks ORDER BY user_id
		ON CONFLICT (user_id) DO UPDATE
		SET clock = CASE WHEN mailboxes.clock < $8::uuid THEN excluded.clock ELSE mailboxes.clock END
		RETURNING user_id, clock, blocking
	), free AS (
		SELECT FROM locked JOIN clocks USING (user_id) HAVING bool_and(clock = id AND NOT blocking)
	), stored AS (
		INSERT INTO messages (recipient, id, sender, text, metadata, key_hash, fingerprint)
		SELECT recipient, id, sender, text, nullif(metadata, ''), key_hash, fingerprint FROM drafts, free
		ON CONFLICT (recipient, sender, key_hash) WHERE key_hash IS NOT NULL DO NOTHING
		RETURNING recipient, id, sender
	), touched AS (
		INSERT INTO conversations (owner, peer, last_message_id)
		SELECT DISTINCT ON (owner, peer) owner, peer, id FROM (
			SELECT recipient AS owner, sender AS peer, id FROM stored UNION ALL SELECT sender, recipient, id FROM stored
		) AS sides ORDER BY owner, peer, id DESC
		ON CONFLICT (owner, peer) DO UPDATE SET last_message_id = excluded.last_message_id
	)
	SELECT id FROM stored`

// writeAtOnce stores a batch by one statement, and returns the sends whose outcome it did
// not find out, for the usual way. The locks last as long as Postgres takes, and not while
// this process has other things to do. That is safe only where every send has an
// idempotency key: they may have been stored where the answer was lost.
func (w *writer) writeAtOnce(batch []*send) (rest []*send) {
	if w.db.Engine != db.Postgres || w.inSteps.Load() {
		return batch
	}
	for _, s := range batch {
		if s.draft.IdempotencyKey == "" || s.draft.ReplyTo != nil {
			return batch
		}
	}
	ids := w.ids.next(len(batch))
	var stored []ID
	err := w.db.Statement(context.Background(), writeTimeout, func(ctx context.Context, q sqlx.QueryerContext) error {
		stored = nil
		if err := sqlx.SelectContext(ctx, q, &stored, storeBatch, batchColumns(batch, ids)...); err != nil {
			return fmt.Errorf("store a batch: %w", err)
		}
		return nil
	})
	if errors.Is(err, db.ErrUnavailable) {
		for _, s := range batch {
			s.err = explain(err)
		}
		return nil
	}
	if err != nil {
		w.inSteps.Store(db.IsUnsupported(err))
		return batch
	}
	isStored := make(map[ID]bool, len(stored))
	for _, id := range stored {
		isStored[id] = true
	}
	for i, s := range batch {
		if s.stored = isStored[ids[i]]; s.stored {
			s.message = s.draft.message(ids[i])
		} else {
			rest = append(rest, s)
		}
	}
	return rest
}

// batchColumns are the parameters of storeBatch: columns, and the smallest id.
func batchColumns(batch []*send, ids []ID) []any {
	n := len(batch)
	texts := make([][]string, 5)
	for i := range texts {
		texts[i] = make([]string, n)
	}
	hashes, fingerprints := make([][]byte, n), make([][]byte, n)
	for i, s := range batch {
		d := &s.draft
		for column, value := range []string{d.Recipient, ids[i].String(), d.Sender, d.Text, d.Metadata} {
			texts[column][i] = value
		}
		hashes[i], fingerprints[i] = s.key.Hash, s.key.Fingerprint
	}
	return []any{texts[0], texts[1], texts[2], texts[3], texts[4], hashes, fingerprints, ids[0]}
}
