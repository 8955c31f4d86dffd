package messaging

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// pairStore inserts 20,000 messages among 1,000 users, and 1,200 among them of two who write to nobody else. Postgres, which
// has statistics of senders and of recipients, but not of pairs, expects some 20 from one to the other.
const pairStore = `
	WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 19999)
	INSERT INTO messages (recipient, id, sender, text)
	SELECT CASE WHEN i %% 17 = 0 THEN 'twin-' || (i %% 2) ELSE 'user-' || (i * 31 %% 1000) END, %s,
	       CASE WHEN i %% 17 = 0 THEN 'twin-' || ((i + 1) %% 2) ELSE 'user-' || (i * 37 %% 1000) END, 'message ' || i
	FROM n`

// TestPlanOfPair reads pages of what two users have written to each other, of which the planner expects less than a page:
// they are read in the order of an index, and not all rows, to be sorted then.
func TestPlanOfPair(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		database := dbtest.Connect(t, dbtest.NewURL(t, engine), db.Options{})
		if _, err := database.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		words := planWords[engine]
		err := database.Load(t.Context(), "mailboxes", func(ctx context.Context, tx *sqlx.Tx) error {
			start, step := time.Now().AddDate(0, 0, -20).UnixMilli(), time.Minute.Milliseconds()
			_, err := tx.ExecContext(ctx, fmt.Sprintf(pairStore, fmt.Sprintf(words.id, "i")), start, step)
			if err == nil {
				_, err = tx.ExecContext(ctx, words.analyze)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		e := engines[engine](database)
		for name, w := range planWindows() {
			t.Run(name, func(t *testing.T) {
				bounds, err := w.bounds()
				if err != nil {
					t.Fatal(err)
				}
				err = database.Read(t.Context(), func(ctx context.Context, q sqlx.QueryerContext) error {
					explained := &explainer{QueryerContext: q, t: t, database: database, rows: page, once: 0, indexes: []string{"messages_between"}}
					thread, err := selectConversationMessages(ctx, explained, e, "twin-0", "twin-1", w, bounds)
					if err != nil {
						return err
					}
					oneWay, err := selectMessages(ctx, explained, e, Query{Recipient: "twin-0", Sender: "twin-1", Window: w}, bounds)
					if len(thread.Messages) != w.Limit || len(oneWay.Messages) != w.Limit {
						t.Errorf("pages of %d and %d messages", len(thread.Messages), len(oneWay.Messages))
					}
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			})
		}
	})
}
