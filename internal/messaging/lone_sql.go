package messaging

import (
	"context"
	"errors"
	"fmt"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
)

// loneSend is all that a batch of one does, as one statement of Postgres: it locks and
// sets the clocks, and if they were behind the id, nobody may have blocked the sender and
// the key is new, it stores the message and touches the conversation. What it reads after
// it has waited for the locks is what it has locked: the clocks, and that a user has
// never blocked anyone.
const loneSend = `
	WITH locked AS (
		INSERT INTO mailboxes (user_id, clock) VALUES ($1::text, $3::uuid), ($2::text, $3::uuid)
		ON CONFLICT (user_id) DO UPDATE
		SET clock = CASE WHEN mailboxes.clock < $3::uuid THEN $3::uuid ELSE mailboxes.clock END
		RETURNING clock, blocking
	), free AS (
		SELECT 1 FROM locked HAVING bool_and(clock = $3::uuid AND NOT blocking)
	), stored AS (
		INSERT INTO messages (recipient, id, sender, text, metadata, idempotency_key, fingerprint)
		SELECT $4::text, $3::uuid, $5::text, $6::text, $7::text, $8::text, $9::bytea FROM free
		ON CONFLICT (recipient, sender, idempotency_key) WHERE idempotency_key IS NOT NULL DO NOTHING
		RETURNING id, recipient, sender
	), touched AS (
		INSERT INTO conversations (owner, peer, last_message_id)
		SELECT recipient, sender, id FROM stored UNION ALL SELECT sender, recipient, id FROM stored
		ON CONFLICT (owner, peer) DO UPDATE SET last_message_id = excluded.last_message_id
	)
	SELECT count(*) > 0 FROM stored`

// sendAlone stores a message without a transaction's round trips, and tells whether its
// outcome is known by that. If not, the usual way finds out. That is safe only under an
// idempotency key: the message may have been stored where the answer was lost.
func (w *writer) sendAlone(s *send) (known bool) {
	d := &s.draft
	if w.db.Engine != db.Postgres || d.IdempotencyKey == "" || d.ReplyTo != nil || d.Sender == d.Recipient {
		return false
	}
	var stored bool
	id := w.ids.next(1)[0]
	err := w.db.Statement(context.Background(), writeTimeout, func(ctx context.Context, q sqlx.QueryerContext) error {
		err := sqlx.GetContext(ctx, q, &stored, loneSend, min(d.Sender, d.Recipient), max(d.Sender, d.Recipient), id,
			d.Recipient, d.Sender, d.Text, nullable(d.Metadata), d.IdempotencyKey, d.fingerprint())
		if err != nil {
			return fmt.Errorf("send alone: %w", err)
		}
		return nil
	})
	switch {
	case errors.Is(err, db.ErrUnavailable):
		s.err = explain(err)
	case err != nil || !stored:
		return false
	default:
		s.message = Message{ID: id, Sender: d.Sender, Recipient: d.Recipient, Text: d.Text, Metadata: d.Metadata}
		s.stored = true
	}
	return true
}
