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
	"github.com/message-service/message-service/internal/mailbox"
)

// planGroups is the number of groups in the store of TestPlans. Hub is a member of each, every other user of
// about 20. Hub has hidden a few.
const planGroups = 1000

// planGroupStore inserts the groups of TestPlans and n messages to them: half of the groups are quiet, the others busy, all
// at the same time. The members of ~crowd are 10,000 fans.
var planGroupStore = []string{
	`INSERT INTO messages (recipient, id, sender, text, deleted, changed)
	 WITH RECURSIVE n (i) AS (SELECT %[1]d UNION ALL SELECT i + 1 FROM n WHERE i < 2 * %[1]d - 1)
	 SELECT CASE WHEN i %% 10 = 3 THEN '~crowd' WHEN i < %[1]d + %[5]d THEN '~group-' || (i - %[1]d) ELSE '~group-' || (i %% (%[5]d / 2)) END,
	        %[2]s, CASE WHEN i %% 3 = 0 THEN 'hub' ELSE 'user-' || (i %% 1000) END, 'message ' || i, i %% 10 = 5,
	        CASE WHEN i %% 10 = 5 THEN %[3]s END
	 FROM n`,
	`INSERT INTO groups (group_id, name, history, member_count, version, created, changed, last_message_id)
	 SELECT recipient, recipient, 'all', 20, 1, %[4]s, %[4]s, (SELECT id FROM messages AS last WHERE last.recipient = found.recipient
	        AND deleted = false ORDER BY id DESC LIMIT 1)
	 FROM (SELECT DISTINCT recipient FROM messages WHERE recipient >= '~') AS found`,
	`INSERT INTO memberships (user_id, group_id, role, state, since, visible_from, changed, hidden)
	 SELECT 'hub', group_id, 'member', 'active', created, created, created, CASE WHEN group_id < '~group-2' THEN last_message_id END FROM groups`,
	`INSERT INTO memberships (user_id, group_id, role, state, since, visible_from, changed)
	 WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 20 * %[5]d - 1)
	 SELECT 'user-' || (i * 7919 %% 1000), '~group-' || (i / 20), 'member', 'active', %[4]s, %[4]s, %[4]s FROM n`,
	`INSERT INTO memberships (user_id, group_id, role, state, since, visible_from, changed)
	 WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 9999)
	 SELECT 'fan-' || i, '~crowd', 'member', 'active', %[4]s, %[4]s, %[4]s FROM n`,
	`INSERT INTO members (group_id, user_id, role, state, since, visible_from, changed)
	 SELECT group_id, user_id, role, state, since, visible_from, changed FROM memberships`,
	`INSERT INTO read_markers (owner, peer, message_id, changed)
	 SELECT 'hub', group_id, last_message_id, last_message_id FROM groups WHERE last_message_id IS NOT NULL AND group_id > '~group-5'`,
	`INSERT INTO mailboxes (user_id, clock) SELECT group_id, coalesce(last_message_id, created) FROM groups`,
	// Late may not see the messages of a group from before, all of which were edited since.
	`INSERT INTO messages (recipient, id, sender, text, deleted, changed)
	 WITH RECURSIVE n (i) AS (SELECT 2 * %[1]d UNION ALL SELECT i + 1 FROM n WHERE i < 2 * %[1]d + %[1]d / 10)
	 SELECT '~edited', %[2]s, 'hub', 'message ' || i, false, %[3]s FROM n`,
	`INSERT INTO memberships (user_id, group_id, role, state, since, visible_from, changed)
	 SELECT 'late', '~edited', 'member', 'active', %[4]s, clock, %[4]s FROM mailboxes WHERE user_id = '~group-1'`,
	`INSERT INTO mailboxes (user_id, clock) SELECT column1, max FROM (SELECT clock AS max FROM mailboxes WHERE user_id = 'hub') AS newest, (VALUES ('late'), ('~edited')) AS added`,
	`UPDATE mailboxes SET group_changes = 1 WHERE user_id IN (SELECT user_id FROM memberships)`,
}

// fillPlanGroups adds groups with n messages to the store of TestPlans, which has as many of users.
func fillPlanGroups(t *testing.T, database *db.DB, n int) {
	t.Helper()
	words := planWords[database.Engine]
	start, step := time.Now().AddDate(0, 0, -60), 60*24*time.Hour/time.Duration(n)
	id := fmt.Sprintf(words.id, fmt.Sprintf("(i - %d)", n))
	changed := fmt.Sprintf(words.id, strconv.Itoa(n-n/(60*24*2))) // half an hour ago, as in planStore
	first := map[db.Engine]string{
		db.Postgres: "CAST('00000000-0001-7000-8000-000000000000' AS uuid)", db.SQLite: "x'00000000000170008000000000000000'",
	}[database.Engine]
	err := database.Load(t.Context(), "mailboxes", func(ctx context.Context, tx *sqlx.Tx) error {
		for _, statement := range planGroupStore {
			if strings.Contains(statement, "%") {
				statement = fmt.Sprintf(statement, n, id, changed, first, planGroups)
				statement, _, _ = strings.Cut(statement, "%!(EXTRA")
			}
			var args []any
			if strings.Contains(statement, "$1") {
				args = []any{start.UnixMilli(), step.Milliseconds()}
			}
			if _, err := tx.ExecContext(ctx, statement, args...); err != nil {
				return fmt.Errorf("%s: %w", statement, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if database.Engine == db.Postgres { // what autovacuum does within minutes
		read(t, &Service{db: database}, func(ctx context.Context, q sqlx.QueryerContext) error {
			rows, err := q.QueryxContext(ctx, "VACUUM (ANALYZE) groups, members, memberships, messages, read_markers, mailboxes")
			if err != nil {
				return err
			}
			defer rows.Close() //nolint:errcheck // there are none
			return rows.Err()
		})
	}
}

// plannedInboxes are the statements that read a row for each group of a user, and the indexes they must use.
var plannedInboxes = map[string]struct {
	run     func(ctx context.Context, q sqlx.QueryerContext, e engine, user string, below ID) error
	indexes []string
}{
	"conversations": {func(ctx context.Context, q sqlx.QueryerContext, e engine, user string, below ID) error {
		_, err := selectConversations(ctx, q, e, shownBelow, inboxRange{user, below, time.Now(), page})
		return err
	}, []string{"conversations_shown", "memberships_", "groups_pkey", "messages_every_id", "messages_between", "messages_pkey", "read_markers_pkey"}},
	"hidden conversations": {func(ctx context.Context, q sqlx.QueryerContext, e engine, user string, below ID) error {
		_, err := selectConversations(ctx, q, e, hiddenBelow, inboxRange{user, below, time.Now(), page})
		return err
	}, []string{"conversations_hidden", "memberships_", "groups_pkey", "messages_every_id", "messages_between", "messages_pkey", "read_markers_pkey"}},
	"unread": {func(ctx context.Context, q sqlx.QueryerContext, e engine, user string, below ID) error {
		_, err := selectUnread(ctx, q, e, inboxRange{user, below, time.Now(), unreadStep})
		return err
	}, []string{"conversations_shown", "memberships_", "groups_pkey", "messages_between", "messages_pkey", "read_markers_pkey"}},
	"conversation": {func(ctx context.Context, q sqlx.QueryerContext, e engine, user string, _ ID) error {
		_, err := selectConversation(ctx, q, e, user, "~group-7", time.Now())
		return err
	}, []string{"memberships_", "groups_pkey", "messages_every_id", "messages_pkey", "read_markers_pkey"}},
	"groups to search": {func(ctx context.Context, q sqlx.QueryerContext, _ engine, user string, below ID) error {
		_, err := selectSources(ctx, q, user, idRange{high: below})
		return err
	}, []string{"memberships_", "messages_pkey"}},
	"mailbox to search": {func(ctx context.Context, q sqlx.QueryerContext, e engine, user string, below ID) error {
		_, err := selectMailbox(ctx, q, e, user, Window{Limit: page - 1}, idRange{high: below})
		return err
	}, []string{"messages_pkey", "messages_sent_to_users"}},
	"export of messages": {func(ctx context.Context, q sqlx.QueryerContext, _ engine, user string, _ ID) error {
		_, err := selectSentToGroups(ctx, q, user, ID{}, page-1)
		return err
	}, []string{"messages_sent_to_groups"}},
	"export of memberships": {func(ctx context.Context, q sqlx.QueryerContext, _ engine, user string, _ ID) error {
		_, err := selectMemberships(ctx, q, user, "~group-3", page)
		return err
	}, []string{"memberships_"}},
	"erasure": {func(ctx context.Context, q sqlx.QueryerContext, e engine, user string, _ ID) error {
		_, err := selectGroupRemnants(ctx, q, e, user, page)
		return err
	}, []string{"messages_"}},
}

// plannedGroupFeeds are the statements behind the feeds of users in groups.
var plannedGroupFeeds = map[string]func(ctx context.Context, q sqlx.QueryerContext, e engine, user string, after ID) error{
	"changes": func(ctx context.Context, q sqlx.QueryerContext, e engine, user string, after ID) error {
		_, err := selectFeed(ctx, q, e, feedQuery{user, after, feedLimit{100, PageMaxBytes}})
		return err
	},
	"memberships": func(ctx context.Context, q sqlx.QueryerContext, e engine, user string, _ ID) error {
		_, err := selectGroupsOf(ctx, q, e, []string{user, "user-8", "fan-3", "new"})
		return err
	},
	"changes of groups": func(ctx context.Context, q sqlx.QueryerContext, e engine, _ string, after ID) error {
		_, err := selectGroupChanges(ctx, q, e, map[string]ID{"~group-0": after, "~group-999": after, "~crowd": after, "~edited": {}, "~none": after})
		return err
	},
}

// explainTwice runs what reads a row for each group, once to log its time, and once to check its plans. The indexes must be
// used for a user with many groups.
func explainTwice(t *testing.T, database *db.DB, user string, indexes []string, run func(ctx context.Context, q sqlx.QueryerContext) error) {
	t.Helper()
	explainer := &explainer{t: t, database: database, rows: planGroups + 2, once: planGroups, sorts: true}
	if user == "hub" {
		explainer.indexes = indexes
	}
	err := database.Read(t.Context(), func(ctx context.Context, q sqlx.QueryerContext) error {
		start := time.Now()
		if err := run(ctx, q); err != nil {
			return err
		}
		t.Log(time.Since(start))
		explainer.QueryerContext = q
		return run(ctx, explainer)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// checkGroupFeedPlans checks feeds with 1,000 groups: no more than a row for each beside what they return.
func checkGroupFeedPlans(t *testing.T, database *db.DB) {
	t.Helper()
	e := engines[database.Engine](database)
	for name, run := range plannedGroupFeeds {
		for _, user := range []string{"hub", "user-7", "fan-99", "late", "quiet", "nobody"} {
			for position, after := range map[string]ID{"all": {}, "last week": mailbox.FirstIDAt(time.Now().AddDate(0, 0, -7)), "recent": mailbox.FirstIDAt(time.Now().Add(-time.Hour))} {
				t.Run("feed/"+name+"/"+user+"/"+position, func(t *testing.T) {
					explainTwice(t, database, user, nil, func(ctx context.Context, q sqlx.QueryerContext) error { return run(ctx, q, e, user, after) })
				})
			}
		}
	}
}

// checkGroupReadPlans checks what reads one group.
func checkGroupReadPlans(t *testing.T, database *db.DB) {
	t.Helper()
	e := engines[database.Engine](database)
	for name, query := range plannedGroupReads {
		for window, w := range planWindows() {
			t.Run("read/"+name+"/"+window, func(t *testing.T) {
				err := database.Read(t.Context(), func(ctx context.Context, q sqlx.QueryerContext) error {
					return query.run(ctx, &explainer{QueryerContext: q, t: t, database: database, rows: 2 * page, once: page, indexes: query.indexes}, e, w)
				})
				if err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}

// checkInboxPlans checks inboxes with 1,000 groups: no more than a row for each beside what they return.
func checkInboxPlans(t *testing.T, database *db.DB) {
	t.Helper()
	e := engines[database.Engine](database)
	for name, query := range plannedInboxes {
		for _, user := range []string{"hub", "user-7", "fan-99", "quiet", "nobody"} {
			for position, below := range map[string]ID{"newest": mailbox.LastID, "last month": mailbox.FirstIDAt(time.Now().AddDate(0, -1, 0))} {
				t.Run(name+"/"+user+"/"+position, func(t *testing.T) {
					explainTwice(t, database, user, query.indexes, func(ctx context.Context, q sqlx.QueryerContext) error { return query.run(ctx, q, e, user, below) })
				})
			}
		}
	}
}
