package messaging_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/mailbox"
	"github.com/message-service/message-service/internal/messaging"
)

// planStore is what TestPlans asks. The messages of quiet are the oldest of all:
// whoever looks for them among everyone's newest looks at 900,000 others first. Next
// come those of 25,000 fans to hub, 200,000 that rewritten sent and received, all edited
// since, as many that emptied did, all deleted, and then those of 1,000 users to each other.
const planStore = `
	WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < %[1]d - 1),
	placed (i, who, is_edited, is_deleted) AS (
	    SELECT i, CASE WHEN i < %[1]d / 10 THEN 'quiet' WHEN i < %[1]d / 8 THEN 'hub'
	                   WHEN i < %[1]d * 13 / 40 THEN 'rewritten' WHEN i < %[1]d * 21 / 40 THEN 'emptied' ELSE 'user-' || i %% 1000 END,
	           i %% 10 = 6 OR i >= %[1]d / 8 AND i < %[1]d * 13 / 40,
	           CASE WHEN i >= %[1]d / 8 AND i < %[1]d * 13 / 40 THEN false
	                ELSE i %% 10 = 5 OR i >= %[1]d * 13 / 40 AND i < %[1]d * 21 / 40 END FROM n)
	INSERT INTO messages (recipient, id, sender, text, deleted, changed)
	SELECT CASE WHEN who IN ('hub') OR who LIKE 'user-%%' OR i %% 2 = 0 THEN who ELSE 'peer-' || i %% 5 END, %[2]s,
	       CASE WHEN who = 'hub' THEN 'fan-' || i WHEN who LIKE 'user-%%' THEN 'user-' || i / 7 %% 1000
	            WHEN i %% 2 = 0 THEN 'peer-' || i %% 5 ELSE who END,
	       'message ' || i, is_deleted, CASE WHEN is_deleted OR is_edited THEN %[3]s END
	FROM placed`

// plannedQueries are the statements behind every list, and the indexes that serve them.
var plannedQueries = map[string]struct {
	run     func(ctx context.Context, q sqlx.QueryerContext, e messaging.Engine, user string, w messaging.Window) error
	indexes []string
}{
	"all":         {list(func(string) messaging.Query { return messaging.Query{} }), []string{"messages_every_id"}},
	"sent by one": {list(func(user string) messaging.Query { return messaging.Query{Sender: user} }), []string{"messages_sent"}},
	"sent to one": {list(func(user string) messaging.Query { return messaging.Query{Recipient: user} }), []string{"messages_pkey"}},
	"between two": {list(func(user string) messaging.Query {
		return messaging.Query{Recipient: user, Sender: "peer-4"}
	}), []string{"messages_between"}},
	"conversation messages": {func(ctx context.Context, q sqlx.QueryerContext, e messaging.Engine, user string, w messaging.Window) error {
		bounds, err := messaging.Bounds(w)
		if err != nil {
			return err
		}
		_, err = messaging.SelectConversationMessages(ctx, q, e, user, "peer-3", w, bounds)
		return err
	}, []string{"messages_between"}},
	"newest of a conversation": {func(ctx context.Context, q sqlx.QueryerContext, _ messaging.Engine, user string, _ messaging.Window) error {
		_, err := messaging.SelectNewestBetween(ctx, q, user, "peer-3")
		return err
	}, []string{"messages_between"}},
	"conversations": {func(ctx context.Context, q sqlx.QueryerContext, _ messaging.Engine, user string, _ messaging.Window) error {
		_, err := messaging.SelectConversations(ctx, q, user, mailbox.LastID, 101)
		return err
	}, []string{"conversations_owner_last_message_id", "messages_every_id", "messages_between", "read_markers_pkey"}},
	"conversation": {func(ctx context.Context, q sqlx.QueryerContext, _ messaging.Engine, user string, _ messaging.Window) error {
		_, err := messaging.SelectConversation(ctx, q, user, "peer-3")
		return err
	}, []string{"conversations_pkey", "messages_every_id", "messages_between", "read_markers_pkey"}},
	"blocks": {func(ctx context.Context, q sqlx.QueryerContext, _ messaging.Engine, user string, _ messaging.Window) error {
		_, err := messaging.SelectBlocks(ctx, q, user, "fan-100", 101)
		return err
	}, []string{"blocks_pkey"}},
	"read markers": {func(ctx context.Context, q sqlx.QueryerContext, _ messaging.Engine, user string, _ messaging.Window) error {
		_, err := messaging.SelectReadMarkers(ctx, q, user, "fan-100", 101)
		return err
	}, []string{"read_markers_pkey"}},
	"export": {func(ctx context.Context, q sqlx.QueryerContext, e messaging.Engine, user string, _ messaging.Window) error {
		_, err := messaging.SelectMessagesOf(ctx, q, e, user, messaging.ID{}, 100)
		return err
	}, []string{"messages_pkey", "messages_sent"}},
}

// plannedFeeds are the statements behind feeds.
var plannedFeeds = map[string]func(ctx context.Context, q sqlx.QueryerContext, e messaging.Engine, user string, after messaging.ID) error{
	"changes": func(ctx context.Context, q sqlx.QueryerContext, e messaging.Engine, user string, after messaging.ID) error {
		_, err := messaging.SelectChanges(e, ctx, q, user, after, messaging.FeedLimit(100))
		return err
	},
	"changes of several": func(ctx context.Context, q sqlx.QueryerContext, e messaging.Engine, user string, after messaging.ID) error {
		_, err := messaging.SelectChangesOf(e, ctx, q, map[string]messaging.ID{user: after, "fan-99": after, "user-8": after, "new": {}}, messaging.FeedLimit(20))
		return err
	},
	"clocks": func(ctx context.Context, q sqlx.QueryerContext, e messaging.Engine, user string, _ messaging.ID) error {
		_, err := messaging.SelectClocks(ctx, q, e, []string{user, "user-8", "peer-3", "new"})
		return err
	},
}

func list(query func(user string) messaging.Query) func(context.Context, sqlx.QueryerContext, messaging.Engine, string, messaging.Window) error {
	return func(ctx context.Context, q sqlx.QueryerContext, _ messaging.Engine, user string, w messaging.Window) error {
		bounds, err := messaging.Bounds(w)
		if err != nil {
			return err
		}
		query := query(user)
		query.Window = w
		_, err = messaging.SelectMessages(ctx, q, query, bounds)
		return err
	}
}

// TestPlans checks, in a store of 1,000,000 messages at full size, that every list is served by its indexes,
// both ways, and looks at no more rows than it returns: no scan of a
// table, no sort, no filter but on single rows.
func TestPlans(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		n := dbtest.Size(20_000, 20_000, 1_000_000)
		database := dbtest.Open(t, dbtest.NewURL(t, engine))
		fillPlanStore(t, database, n)
		e := messaging.EngineOf(database)
		month := time.Now().AddDate(0, 0, -30)
		windows := map[string]messaging.Window{
			"newest":     {Limit: 100},
			"last month": {Since: &month, Limit: 100},
			"upward":     {After: &messaging.ID{}, Limit: 100},
		}
		for name, run := range plannedFeeds {
			for _, user := range []string{"quiet", "hub", "rewritten", "emptied", "user-7", "nobody"} {
				for position, after := range map[string]messaging.ID{"all": {}, "recent": mailbox.FirstIDAt(time.Now().Add(-time.Hour))} {
					t.Run(name+"/"+user+"/"+position, func(t *testing.T) {
						err := database.Read(t.Context(), func(ctx context.Context, q sqlx.QueryerContext) error {
							return run(ctx, &explainer{QueryerContext: q, t: t, database: database, rows: 6 * page, once: 2 * page, sorts: true}, e, user, after)
						})
						if err != nil {
							t.Fatal(err)
						}
					})
				}
			}
		}
		for name, query := range plannedQueries {
			for _, user := range []string{"quiet", "hub", "emptied", "user-7", "nobody"} {
				for window, w := range windows {
					t.Run(name+"/"+user+"/"+window, func(t *testing.T) {
						indexes := query.indexes
						if user != "hub" { // a few rows may as well come from another index, and be sorted
							indexes = nil
						}
						start := time.Now()
						err := database.Read(t.Context(), func(ctx context.Context, q sqlx.QueryerContext) error {
							return query.run(ctx, &explainer{QueryerContext: q, t: t, database: database, rows: 2 * page, once: page, indexes: indexes}, e, user, w)
						})
						if err != nil {
							t.Fatal(err)
						}
						t.Log(time.Since(start))
					})
				}
			}
		}
	})
}

// fillPlanStore stores n messages over 60 days, one of 10 of them deleted, with
// their conversations, and markers and blocks of each user.
func fillPlanStore(t *testing.T, database *db.DB, n int) {
	t.Helper()
	// A UUIDv7 of the message's time and its number. All changes came half an hour ago.
	id, last := "unhex(printf('%%012x70008000%%012x', $1 + %s * $2, i))", "max(id)"
	if database.Engine == db.Postgres {
		id = "(lpad(to_hex($1::bigint + %s * $2::bigint), 12, '0') || '70008000' || lpad(to_hex(i), 12, '0'))::uuid"
		last = "max(id::text)::uuid"
	}
	start, step := time.Now().AddDate(0, 0, -60), 60*24*time.Hour/time.Duration(n)
	halfAnHour := n / (60 * 24 * 2)
	err := database.Load(t.Context(), "mailboxes", func(ctx context.Context, tx *sqlx.Tx) error {
		for _, statement := range []string{
			fmt.Sprintf(planStore, n, fmt.Sprintf(id, "i"), fmt.Sprintf(id, strconv.Itoa(n-halfAnHour))),
			`INSERT INTO conversations (owner, peer, last_message_id)
			 SELECT owner, peer, ` + last + ` FROM (
			     SELECT recipient AS owner, sender AS peer, id FROM messages WHERE deleted = false
			     UNION ALL SELECT sender, recipient, id FROM messages WHERE deleted = false AND sender <> recipient) AS sides
			 GROUP BY owner, peer`,
			`INSERT INTO read_markers (owner, peer, message_id, changed)
			 SELECT owner, peer, last_message_id, last_message_id FROM conversations WHERE peer > 'user-5' OR owner = 'hub'`,
			`INSERT INTO mailboxes (user_id, clock) SELECT owner, ` + last + ` FROM (SELECT owner, last_message_id AS id FROM conversations) AS c GROUP BY owner`,
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
		if database.Engine == db.Postgres {
			_, err := tx.ExecContext(ctx, "ANALYZE mailboxes, messages, conversations, read_markers, blocks")
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// explainer checks the plan of each query before it runs it.
type explainer struct {
	sqlx.QueryerContext

	t        *testing.T
	database *db.DB
	rows     float64 // that a node may return: a page for each range that is merged
	once     float64 // that a node may sort, or look at and not return
	sorts    bool    // at the end, what is left of all ranges
	indexes  []string
}

// QueryxContext explains the query and then runs it.
func (e *explainer) QueryxContext(ctx context.Context, query string, args ...any) (*sqlx.Rows, error) {
	check := e.checkSQLite
	if e.database.Engine == db.Postgres {
		check = e.checkPostgres
	}
	if err := check(ctx, query, args); err != nil {
		return nil, err
	}
	return e.QueryerContext.QueryxContext(ctx, query, args...)
}

// checkPostgres checks the plan for these parameters, and the one for any.
func (e *explainer) checkPostgres(ctx context.Context, query string, args []any) error {
	var plan string
	if err := sqlx.GetContext(ctx, e.QueryerContext, &plan, "EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) "+query, args...); err != nil {
		return err
	}
	plans := map[string]string{"its own plan": plan}
	if len(args) <= db.KeptParameters && !db.IsUnprepared(ctx) {
		generic, err := explainGeneric(ctx, e.database, query, args)
		if err != nil {
			return err
		}
		plans["the generic plan"] = generic
	}
	for name, plan := range plans {
		var nodes []struct{ Plan planNode }
		if err := json.Unmarshal([]byte(plan), &nodes); err != nil {
			return err
		}
		e.report(nodes[0].Plan.problems(e.rows, e.once), name+" of "+query, plan)
	}
	return nil
}

func (e *explainer) checkSQLite(ctx context.Context, query string, args []any) error {
	var plan string
	var steps []struct {
		ID, Parent, Notused int
		Detail              string
	}
	if err := sqlx.SelectContext(ctx, e.QueryerContext, &steps, "EXPLAIN QUERY PLAN "+query, args...); err != nil {
		return err
	}
	for _, step := range steps {
		plan += step.Detail + "\n"
	}
	problems := scanned(plan)
	if e.sorts {
		problems = slices.DeleteFunc(problems, func(problem string) bool { return problem == "USE TEMP B-TREE FOR ORDER BY" })
	}
	plan = primaryKeys.ReplaceAllStringFunc(plan, func(step string) string {
		table := primaryKeys.FindStringSubmatch(step)[1]
		return cmp.Or(aliases[table], table) + "_pkey"
	})
	e.report(problems, query, plan)
	return nil
}

func (e *explainer) report(problems []string, query, plan string) {
	for _, index := range e.indexes {
		if !strings.Contains(plan, index) {
			problems = append(problems, "does not use "+index)
		}
	}
	if len(problems) > 0 {
		e.t.Errorf("%s\n%s\n%s", strings.Join(problems, "\n"), query, plan)
	}
}

// QueryRowxContext does the same for a query of one row.
func (e *explainer) QueryRowxContext(ctx context.Context, query string, args ...any) *sqlx.Row {
	rows, err := e.QueryxContext(ctx, query, args...) //nolint:sqlclosecheck // it is, two branches on
	if err != nil {
		e.t.Error(err)
	} else if err := rows.Close(); err != nil {
		e.t.Error(err)
	}
	return e.QueryerContext.QueryRowxContext(ctx, query, args...)
}

// The steps of SQLite that may read more than they return, and those that make a part of the
// statement, by its name.
var (
	scans = regexp.MustCompile(`SCAN (\S+).*|USE TEMP B-TREE.*`)
	parts = regexp.MustCompile(`(?:CO-ROUTINE|MATERIALIZE) (\S+)`)
)

// scanned returns the steps that sort, or scan what is no part of the statement: a table,
// whatever the statement calls it.
func scanned(plan string) (problems []string) {
	made := map[string]bool{}
	for _, part := range parts.FindAllStringSubmatch(plan, -1) {
		made[part[1]] = true
	}
	for _, scan := range scans.FindAllStringSubmatch(plan, -1) {
		if !made[scan[1]] {
			problems = append(problems, scan[0])
		}
	}
	return problems
}

// primaryKeys are the steps of SQLite that use the index Postgres calls after the table.
var primaryKeys = regexp.MustCompile(`SEARCH (\w+) USING PRIMARY KEY`)

// aliases are what the statements call tables.
var aliases = map[string]string{"m": "messages", "c": "conversations", "mine": "read_markers", "theirs": "read_markers"}

// planNode is a part of a plan of Postgres, and how it went.
type planNode struct {
	NodeType string     `json:"Node Type"`
	Rows     float64    `json:"Actual Rows"`
	Removed  float64    `json:"Rows Removed by Filter"`
	Plans    []planNode `json:"Plans"`
}

// page is the most rows a node may handle at a time: those of a page, and one more.
const page = 101

func (n planNode) problems(rows, once float64) (problems []string) {
	if n.NodeType == "Seq Scan" || n.NodeType == "Sort" && n.Rows > once || n.Removed > once || n.Rows > rows {
		problems = append(problems, fmt.Sprintf("%s of %.0f rows, and %.0f looked at in vain", n.NodeType, n.Rows, n.Removed))
	}
	for _, child := range n.Plans {
		problems = append(problems, child.problems(rows, once)...)
	}
	return problems
}
