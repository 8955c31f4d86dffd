package messaging_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/mailbox"
	"github.com/message-service/message-service/internal/messaging"
)

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
	check := map[db.Engine]func(*explainer, context.Context, string, []any) error{
		db.Postgres: (*explainer).checkPostgres, db.SQLite: (*explainer).checkSQLite,
	}[e.database.Engine]
	if err := check(e, ctx, query, args); err != nil {
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
