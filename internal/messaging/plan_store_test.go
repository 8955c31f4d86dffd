package messaging

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
)

// planStore inserts the messages for TestPlans. The messages of quiet are the oldest of all:
// a scan of everyone's messages from the newest on reads 900,000 others first. Next
// come those of 25,000 fans to hub, 200,000 that rewritten sent and received, all edited
// since, as many that emptied did, all deleted, and then those of 1,000 users to each other.
const planStore = `
	WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < %[1]d - 1),
	placed (i, who, is_edited, is_deleted) AS (
	    SELECT i, CASE WHEN i < %[1]d / 10 THEN 'quiet' WHEN i < %[1]d / 8 THEN 'hub'
	                   WHEN i < %[1]d * 13 / 40 THEN 'rewritten' WHEN i < %[1]d * 21 / 40 THEN 'emptied' ELSE 'user-' || (i %% 1000) END,
	           i %% 10 = 6 OR i >= %[1]d / 8 AND i < %[1]d * 13 / 40,
	           CASE WHEN i >= %[1]d / 8 AND i < %[1]d * 13 / 40 THEN false
	                ELSE i %% 10 = 5 OR i >= %[1]d * 13 / 40 AND i < %[1]d * 21 / 40 END FROM n)
	INSERT INTO messages (recipient, id, sender, text, deleted, changed)
	SELECT CASE WHEN who IN ('hub') OR who LIKE 'user-%%' OR i %% 2 = 0 THEN who ELSE 'peer-' || (i %% 5) END, %[2]s,
	       CASE WHEN who = 'hub' THEN 'fan-' || i WHEN who LIKE 'user-%%' THEN 'user-' || (i / 7 %% 1000)
	            WHEN i %% 2 = 0 THEN 'peer-' || (i %% 5) ELSE who END,
	       'message ' || i, is_deleted, CASE WHEN is_deleted OR is_edited THEN %[3]s END
	FROM placed`

// planWords are the expressions in fillPlanStore that differ between the engines.
var planWords = map[db.Engine]struct {
	id      string // a UUIDv7 of a message's time and its number
	last    string // the greatest id
	analyze string // gathers the planner's statistics
}{
	db.Postgres: {
		"(lpad(to_hex($1::bigint + %s * $2::bigint), 12, '0') || '70008000' || lpad(to_hex(i), 12, '0'))::uuid",
		"max(id::text)::uuid", "ANALYZE mailboxes, messages, conversations, read_markers, blocks",
	},
	db.SQLite: {"unhex(printf('%%012x70008000%%012x', $1 + %s * $2, i))", "max(id)", "SELECT 1"}, // the schema has the statistics
}

// fillPlanStore stores n messages over 60 days, one of 10 of them deleted, with
// their conversations, and markers and blocks of each user.
func fillPlanStore(t *testing.T, database *db.DB, n int) {
	t.Helper()
	words := planWords[database.Engine]
	start, step := time.Now().AddDate(0, 0, -60), 60*24*time.Hour/time.Duration(n)
	hidden := fmt.Sprintf("owner = 'user-7' OR owner = 'hub' AND peer > 'fan-%d'", n*9/80) // the newest half of those of hub
	halfAnHour := n / (60 * 24 * 2)                                                        // all edits and deletions are half an hour old
	err := database.Load(t.Context(), "mailboxes", func(ctx context.Context, tx *sqlx.Tx) error {
		for _, statement := range []string{
			fmt.Sprintf(planStore, n, fmt.Sprintf(words.id, "i"), fmt.Sprintf(words.id, strconv.Itoa(n-halfAnHour))),
			`INSERT INTO conversations (owner, peer, last_message_id, hidden)
			 SELECT owner, peer, ` + words.last + `, CASE WHEN ` + hidden + ` THEN ` + words.last + ` END FROM (
			     SELECT recipient AS owner, sender AS peer, id FROM messages WHERE deleted = false
			     UNION ALL SELECT sender, recipient, id FROM messages WHERE deleted = false AND sender <> recipient) AS sides
			 GROUP BY owner, peer`,
			`INSERT INTO read_markers (owner, peer, message_id, changed)
			 SELECT owner, peer, last_message_id, last_message_id FROM conversations WHERE peer > 'user-5' OR owner = 'hub'`,
			`INSERT INTO mailboxes (user_id, clock) SELECT DISTINCT owner, (SELECT ` + words.last + ` FROM messages) FROM conversations`,
			`INSERT INTO blocks (owner, peer, changed) SELECT owner, peer, last_message_id FROM conversations`,
		} {
			var args []any
			if strings.Contains(statement, "$1") {
				args = []any{start.UnixMilli(), step.Milliseconds()}
			}
			if _, err := tx.ExecContext(ctx, statement, args...); err != nil {
				return fmt.Errorf("%s: %w", statement, err)
			}
		}
		_, err := tx.ExecContext(ctx, words.analyze)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
