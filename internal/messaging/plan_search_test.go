package messaging

import (
	"context"
	"fmt"
	"log/slog"
	"testing"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/mailbox"
	"github.com/message-service/message-service/internal/searchindex"
)

// plannedSearches are the statements behind searches and their index: each search runs several.
var plannedSearches = map[string]func(ctx context.Context, q sqlx.QueryerContext, e engine, user string, w Window) error{
	"received": func(ctx context.Context, q sqlx.QueryerContext, e engine, user string, w Window) error {
		return planSearch(ctx, q, w, func(bounds idRange) (*search, error) {
			return searchOf(e, user, Query{Recipient: user, Words: "message 1", Window: w}, bounds)
		})
	},
	"sent": func(ctx context.Context, q sqlx.QueryerContext, e engine, user string, w Window) error {
		return planSearch(ctx, q, w, func(bounds idRange) (*search, error) {
			return searchOf(e, user, Query{Sender: user, Words: "message", Window: w}, bounds)
		})
	},
	"between two": func(ctx context.Context, q sqlx.QueryerContext, e engine, user string, w Window) error {
		return planSearch(ctx, q, w, func(bounds idRange) (*search, error) {
			return searchOf(e, user, Query{Recipient: user, Sender: "peer-4", Words: "mess", Window: w}, bounds)
		})
	},
	"sent to one": func(ctx context.Context, q sqlx.QueryerContext, e engine, user string, w Window) error {
		return planSearch(ctx, q, w, func(bounds idRange) (*search, error) {
			return searchOf(e, user, Query{Recipient: "peer-4", Sender: user, Words: "mess", Window: w}, bounds)
		})
	},
	"conversation": func(ctx context.Context, q sqlx.QueryerContext, e engine, user string, w Window) error {
		return planSearch(ctx, q, w, func(bounds idRange) (*search, error) {
			return searchOfConversation(e, user, "peer-3", Query{Words: "message 12", Window: w}, bounds)
		})
	},
	"to index": func(ctx context.Context, q sqlx.QueryerContext, e engine, user string, w Window) error {
		bounds, err := w.bounds()
		if err != nil {
			return err
		}
		_, err = selectTail(ctx, q, e, user, bounds.low, page)
		return err
	},
	"owners": func(ctx context.Context, q sqlx.QueryerContext, _ engine, user string, _ Window) error {
		_, err := selectOwnersAfter(ctx, q, user, fillBatch)
		return err
	},
}

func planSearch(ctx context.Context, q sqlx.QueryerContext, w Window, newSearch func(idRange) (*search, error)) error {
	bounds, err := w.bounds()
	if err != nil {
		return err
	}
	search, err := newSearch(bounds)
	if err != nil {
		return err
	}
	_, err = search.page(ctx, q)
	return err
}

// indexPlanStore indexes some mailboxes of the store, and many documents of others.
func indexPlanStore(t *testing.T, database *db.DB) {
	t.Helper()
	indexer := newIndexer(database, engines[database.Engine](database), slog.New(slog.DiscardHandler))
	for _, owner := range []string{"quiet", "hub", "rewritten", "emptied", "user-7", "peer-3"} {
		if err := indexer.catchUp(t.Context(), owner); err != nil {
			t.Fatal(err)
		}
	}
	documents := make([]searchindex.Document, 300)
	for n := range 40 {
		for i := range documents {
			documents[i] = searchindex.Document{ID: ID(uuid.Must(uuid.NewV7()))}
			for word := range 20 {
				documents[i].Words = append(documents[i].Words, fmt.Sprintf("%x", 1<<40*n+20*i+word))
			}
		}
		err := database.Tx(t.Context(), mailbox.WriteTimeout, func(ctx context.Context, tx *sqlx.Tx) error {
			owner := fmt.Sprintf("user-%d", 100+n)
			if err := searchindex.Create(ctx, tx, owner); err != nil {
				return err
			}
			return searchindex.Append(ctx, tx, owner, documents)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	analyze := map[db.Engine]string{db.Postgres: "ANALYZE search_indexes, search_segments, search_blocks", db.SQLite: "SELECT 1"}[database.Engine]
	empty := map[db.Engine]string{db.Postgres: "''::bytea", db.SQLite: "x''"}[database.Engine]
	err := database.Load(t.Context(), "mailboxes", func(ctx context.Context, tx *sqlx.Tx) error {
		for _, statement := range []string{
			"INSERT INTO search_indexes (owner, indexed) SELECT 'other-' || text, id FROM messages WHERE deleted = false",
			`INSERT INTO search_segments (owner, segment, first_id, last_id, version, bytes, edits, directory)
			 SELECT 'other-' || text, id, id, id, 1, 1, 0, ` + empty + ` FROM messages WHERE deleted = false`,
			analyze,
		} {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// checkSearchPlans checks that searches look at no more rows than they need.
func checkSearchPlans(t *testing.T, database *db.DB) {
	t.Helper()
	for name, run := range plannedSearches {
		for _, user := range []string{"quiet", "hub", "emptied", "user-7", "nobody"} {
			for window, w := range planWindows() {
				t.Run("search/"+name+"/"+user+"/"+window, func(t *testing.T) {
					err := database.Read(t.Context(), func(ctx context.Context, q sqlx.QueryerContext) error {
						explainer := &explainer{QueryerContext: q, t: t, database: database, rows: 2 * page, once: page}
						return run(ctx, explainer, engines[database.Engine](database), user, w)
					})
					if err != nil {
						t.Fatal(err)
					}
				})
			}
		}
	}
}
