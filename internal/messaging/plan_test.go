package messaging_test

import (
	"context"
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
