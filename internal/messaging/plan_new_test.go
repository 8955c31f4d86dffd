package messaging

import (
	"context"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/mailbox"
)

// TestPlansWithoutStatistics reads a page of messages by id from a store of 20,000 that Postgres has not analyzed yet, as it
// does a minute after they were stored or restored.
func TestPlansWithoutStatistics(t *testing.T) {
	t.Parallel()
	database := dbtest.Open(t, dbtest.NewURL(t, db.Postgres))
	mailboxes := mailbox.New(database, mailbox.Options{Now: time.Now, Waiting: 1, Publish: func([]string) {}})
	ids := mailboxes.NewIDs(20_000)
	list := make([]*StoredMessage, len(ids))
	for i, id := range ids {
		list[i] = &StoredMessage{Message: Message{ID: id, Sender: "alice", Recipient: "bob", Text: "Hello"}}
	}
	must(t, database.Add(t.Context(), time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, "ALTER TABLE messages SET (autovacuum_enabled = false)"); err != nil {
			return err
		}
		_, err := InsertMessages(ctx, tx, list)
		return err
	}))
	must(t, database.Read(t.Context(), func(ctx context.Context, q sqlx.QueryerContext) error {
		explainer := &explainer{QueryerContext: q, t: t, database: database, rows: page, once: page, indexes: []string{"messages_every_id"}}
		for _, deleted := range []string{notDeleted, anyDeleted} {
			found, err := selectByIDs(ctx, explainer, engines[database.Engine](database), deleted, ids[100:200])
			if err != nil {
				return err
			}
			if len(found) != 100 {
				t.Errorf("found %d messages", len(found))
			}
		}
		return nil
	}))
}
