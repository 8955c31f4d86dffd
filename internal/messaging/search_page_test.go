package messaging

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// counting counts the queries that run.
type counting struct {
	sqlx.QueryerContext

	queries int
}

func (c *counting) QueryxContext(ctx context.Context, query string, args ...any) (*sqlx.Rows, error) {
	c.queries++
	return c.QueryerContext.QueryxContext(ctx, query, args...)
}

// countedPage searches, and counts the queries.
func countedPage(t *testing.T, service *Service, query Query) (page Page, queries int, err error) {
	t.Helper()
	bounds, err := query.bounds()
	if err != nil {
		t.Fatal(err)
	}
	search, err := searchOf(service.engine, "bob", query, bounds)
	if err != nil {
		t.Fatal(err)
	}
	err = service.db.Read(t.Context(), func(ctx context.Context, q sqlx.QueryerContext) (err error) {
		counted := counting{QueryerContext: q}
		page, err = search.page(ctx, &counted)
		queries = counted.queries
		return err
	})
	return page, queries, err
}

// TestSearchInVain searches for a phrase whose words are in all messages, but never together. Such a search
// must not take a query for each message, however few are asked for.
func TestSearchInVain(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		service := New(dbtest.Open(t, dbtest.NewURL(t, engine)), Options{})
		defer service.Close(t.Context()) //nolint:errcheck // nothing waits
		var wg sync.WaitGroup
		for range 150 {
			wg.Go(func() {
				draft := Draft{Sender: "alice", Recipient: "bob", Text: "right left " + strings.Repeat("x", 300)}
				if _, _, err := service.Send(t.Context(), AsService, draft); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if err := service.indexer.catchUp(t.Context(), "bob"); err != nil {
			t.Fatal(err)
		}
		page, queries, err := countedPage(t, service, Query{Recipient: "bob", Words: "left-right", Window: Window{Limit: 1}})
		if err != nil || len(page.Messages) > 0 || page.HasMore {
			t.Errorf("found %+v: %v", page, err)
		}
		if queries < 5 || queries > 15 {
			t.Errorf("%d queries", queries)
		}
	})
}

// TestSearchOfOutdatedIndex searches a mailbox that an older version of the tokeniser has indexed, which
// has found other words.
func TestSearchOfOutdatedIndex(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		service := New(dbtest.Open(t, dbtest.NewURL(t, engine)), Options{})
		defer service.Close(t.Context()) //nolint:errcheck // nothing waits
		s := newIndexed(t, service, "bob", "one", "two", "three")
		if err := s.indexer.catchUp(t.Context(), s.owner); err != nil {
			t.Fatal(err)
		}
		err := s.db.Tx(t.Context(), time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
			_, err := tx.ExecContext(ctx, "UPDATE search_segments SET version = 0")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		query := Query{Recipient: s.owner, Words: "two", Window: Window{Limit: 10}}
		if _, _, err := countedPage(t, service, query); !errors.As(err, new(*notIndexed)) {
			t.Errorf("search: %v", err)
		}
		page, err := s.List(t.Context(), AsService, query)
		if err != nil || len(page.Messages) != 1 || page.Messages[0].ID != s.messages[1].ID {
			t.Errorf("found %v: %v", page.Messages, err)
		}
	})
}
