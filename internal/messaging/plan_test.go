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

// plannedQueries are the statements of every list, and the indexes they must use.
var plannedQueries = map[string]struct {
	run     func(ctx context.Context, q sqlx.QueryerContext, e engine, user string, w Window) error
	indexes []string
}{
	"all":             {list(func(string) Query { return Query{} }), []string{"messages_every_id"}},
	"sent by one":     {list(func(user string) Query { return Query{Sender: user} }), []string{"messages_sent_to_users"}},
	"sent to one":     {list(func(user string) Query { return Query{Recipient: user} }), []string{"messages_pkey"}},
	"sent to several": {together(""), []string{"messages_pkey"}},
	"between several": {together("peer-3"), []string{"messages_between"}},
	"between two": {list(func(user string) Query {
		return Query{Recipient: user, Sender: "peer-4"}
	}), []string{"messages_between"}},
	"conversation messages": {func(ctx context.Context, q sqlx.QueryerContext, e engine, user string, w Window) error {
		bounds, err := w.bounds()
		if err != nil {
			return err
		}
		_, err = selectConversationMessages(ctx, q, e, user, "peer-3", w, bounds)
		return err
	}, []string{"messages_between"}},
	"message of a user": {func(ctx context.Context, q sqlx.QueryerContext, _ engine, user string, _ Window) error {
		_, err := selectMessage(ctx, q, AsUser(user), mailbox.FirstIDAt(time.Now()))
		return err
	}, []string{"messages_every_id"}},
	"newest of a conversation": {func(ctx context.Context, q sqlx.QueryerContext, e engine, user string, _ Window) error {
		_, err := selectNewestBetween(ctx, q, e, user, "peer-3")
		return err
	}, []string{"messages_between"}},
	"conversation": {func(ctx context.Context, q sqlx.QueryerContext, e engine, user string, _ Window) error {
		_, err := selectConversation(ctx, q, e, user, "peer-3", time.Now())
		return err
	}, []string{"conversations_pkey", "messages_every_id", "messages_between", "read_markers_pkey"}},
	"blocks": {func(ctx context.Context, q sqlx.QueryerContext, _ engine, user string, _ Window) error {
		_, err := selectBlocks(ctx, q, user, "fan-100", 101)
		return err
	}, []string{"blocks_pkey"}},
	"read markers": {func(ctx context.Context, q sqlx.QueryerContext, _ engine, user string, _ Window) error {
		_, err := selectReadMarkers(ctx, q, user, "fan-100", 101)
		return err
	}, []string{"read_markers_pkey"}},
	"settings": {func(ctx context.Context, q sqlx.QueryerContext, _ engine, user string, _ Window) error {
		_, err := selectSettings(ctx, q, user, "fan-100", 101)
		return err
	}, []string{"conversations_pkey"}},
	"export": {func(ctx context.Context, q sqlx.QueryerContext, e engine, user string, _ Window) error {
		_, err := selectMessagesOf(ctx, q, e, user, ID{}, 100)
		return err
	}, []string{"messages_pkey", "messages_sent_to_users"}},
}

// plannedFeeds are the statements behind feeds.
var plannedFeeds = map[string]func(ctx context.Context, q sqlx.QueryerContext, e engine, user string, after ID) error{
	"changes": func(ctx context.Context, q sqlx.QueryerContext, e engine, user string, after ID) error {
		_, err := e.selectChanges(ctx, q, feedQuery{user, after, feedLimit{100, PageMaxBytes}})
		return err
	},
	"changes of several": func(ctx context.Context, q sqlx.QueryerContext, e engine, user string, after ID) error {
		_, err := e.selectChangesOf(ctx, q, map[string]ID{user: after, "fan-99": after, "user-8": after, "new": {}}, feedLimit{20, PageMaxBytes})
		return err
	},
	"clocks": func(ctx context.Context, q sqlx.QueryerContext, e engine, user string, _ ID) error {
		_, err := selectPositions(ctx, q, e, []string{user, "user-8", "peer-3", "new"})
		return err
	},
}

func list(query func(user string) Query) func(context.Context, sqlx.QueryerContext, engine, string, Window) error {
	return func(ctx context.Context, q sqlx.QueryerContext, e engine, user string, w Window) error {
		bounds, err := w.bounds()
		if err != nil {
			return err
		}
		query := query(user)
		query.Window = w
		_, err = selectMessages(ctx, q, e, query, bounds)
		return err
	}
}

// together reads the page of a user, or of their thread with a peer, and that of somebody else by one statement, if the engine does.
func together(peer string) func(context.Context, sqlx.QueryerContext, engine, string, Window) error {
	return func(ctx context.Context, q sqlx.QueryerContext, e engine, user string, w Window) error {
		if e.pageBatches(nil) == nil {
			return nil
		}
		bounds, err := w.bounds()
		if err != nil {
			return err
		}
		batch := []*pageRequest{{user: user, peer: peer, bounds: bounds, limit: w.Limit}, {user: "nobody", peer: peer, bounds: bounds, limit: w.Limit}}
		return e.pageBatches(nil).read(ctx, q, batch)
	}
}

// TestPlans checks, in a store of 2,000,000 messages at full size, half of them to groups, that every statement is served by
// indexes, and reads no more rows than it needs: no scan of a table, no sort, no filter but on single rows. It logs the times.
// The store is filled once for all, and the groups only after what is read without them. The race detector would see one
// goroutine, for minutes on SQLite.
func TestPlans(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		n := dbtest.Size(0, 20_000, 1_000_000)
		if n == 0 {
			t.Skip("the race detector has nothing to find")
		}
		var recorder recorder
		database := dbtest.Connect(t, dbtest.NewURL(t, engine), db.Options{Trace: recorder.trace})
		if _, err := database.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		fillPlanStore(t, database, n)
		indexPlanStore(t, database)
		checkSearchPlans(t, database)
		checkFeedPlans(t, database)
		checkListPlans(t, database)
		fillPlanGroups(t, database, n)
		checkGroupFeedPlans(t, database)
		checkGroupReadPlans(t, database)
		checkInboxPlans(t, database)
		checkMemberPlans(t, database, &recorder)
		checkErasePlans(t, database, &recorder)
	})
}

// planWindows are the pages that every list is asked for.
func planWindows() map[string]Window {
	month := time.Now().AddDate(0, 0, -30)
	return map[string]Window{
		"newest":     {Limit: page - 1},
		"last month": {Since: &month, Limit: page - 1},
		"upward":     {After: &ID{}, Limit: page - 1},
	}
}

// checkFeedPlans checks feeds of users without groups.
func checkFeedPlans(t *testing.T, database *db.DB) {
	t.Helper()
	e := engines[database.Engine](database)
	for name, run := range plannedFeeds {
		for _, user := range []string{"quiet", "hub", "rewritten", "emptied", "user-7", "nobody"} {
			for position, after := range map[string]ID{"all": {}, "recent": mailbox.FirstIDAt(time.Now().Add(-time.Hour))} {
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
}

// checkListPlans checks lists, both ways.
func checkListPlans(t *testing.T, database *db.DB) {
	t.Helper()
	e := engines[database.Engine](database)
	for name, query := range plannedQueries {
		for _, user := range []string{"quiet", "hub", "emptied", "user-7", "nobody"} {
			for window, w := range planWindows() {
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
}
