package apitest_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/messaging"
	"github.com/message-service/message-service/internal/words/wordstest"
)

// searchStores are the databases on which searches must find the same.
var searchStores = map[string]func(testing.TB) string{
	"sqlite":              func(t testing.TB) string { return dbtest.NewURL(t, db.SQLite) },
	"postgres in C":       func(t testing.TB) string { return dbtest.NewURL(t, db.Postgres) },
	"postgres in C.UTF-8": func(t testing.TB) string { return dbtest.NewDatabase(t, "LOCALE 'C.UTF-8'") },
	"postgres in Turkish, ICU": func(t testing.TB) string {
		url := dbtest.NewDatabase(t, "LOCALE_PROVIDER icu ICU_LOCALE 'tr-TR' LOCALE 'C'")
		dbtest.Execute(t, url, "SELECT 1 / (lower('I') = 'ı')::int")
		return url
	},
}

// TestSearchGuide sends the texts of docs/guides/search.md, and searches for what is said there to find them
// or not: before and after they are indexed, in three lists, on databases of several locales.
func TestSearchGuide(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../../docs/guides/search.md")
	if err != nil {
		t.Fatal(err)
	}
	examples, err := wordstest.Examples(string(guide))
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	highlights := map[string]map[string]string{} // by store, and the query and the text
	t.Cleanup(func() {
		for name := range highlights {
			t.Log(name)
			compareHighlights(t, highlights[name], highlights["sqlite"])
		}
	})
	for name, newStore := range searchStores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := apitest.StartOn(t, newStore(t), messaging.Options{})
			sent := map[string]uuid.UUID{}
			for _, e := range examples {
				if _, ok := sent[e.Text]; !ok {
					sent[e.Text] = s.Send(t, "alice", "bob", e.Text).ID
				}
			}
			before := searchExamples(t, s, examples, sent)
			index(t, s, "alice")
			index(t, s, "bob")
			after := searchExamples(t, s, examples, sent)
			compareHighlights(t, before, after)
			mu.Lock()
			defer mu.Unlock()
			highlights[name] = after
		})
	}
}

// searchExamples searches for all examples in several lists, and returns where the words are.
func searchExamples(t *testing.T, s *apitest.Server, examples []wordstest.Example, sent map[string]uuid.UUID) map[string]string {
	t.Helper()
	highlights := map[string]string{}
	for i, e := range examples {
		var found client.MessagePage
		switch i % 3 {
		case 0:
			found = s.List(t, client.ListMessagesParams{Recipient: new("bob"), Q: &e.Query, Highlight: new(true), Limit: new(int32(100))})
		case 1:
			found = s.List(t, client.ListMessagesParams{Sender: new("alice"), Q: &e.Query, Highlight: new(true), Limit: new(int32(100))})
		default:
			found = s.Thread(t, "bob", "alice", client.ListConversationMessagesParams{Q: &e.Query, Highlight: new(true), Limit: new(int32(100))})
		}
		is := slices.ContainsFunc(found.Messages, func(m client.Message) bool { return m.ID == sent[e.Text] })
		if is != e.Found || found.HasMore {
			t.Errorf("%s: %q in %q: found %v, want %v", e.Language, e.Query, e.Text, is, e.Found)
		}
		for _, m := range found.Messages {
			highlights[fmt.Sprintf("%q in %q", e.Query, m.Text)] = bracketed(m)
		}
	}
	return highlights
}

func compareHighlights(t *testing.T, got, want map[string]string) {
	t.Helper()
	for _, searched := range slices.Sorted(maps.Keys(want)) {
		if got[searched] != want[searched] {
			t.Errorf("%s: got %q, want %q", searched, got[searched], want[searched])
		}
	}
	if len(got) != len(want) {
		t.Errorf("found %d times, want %d", len(got), len(want))
	}
}

// index sends messages without words until the messages before are indexed.
func index(t *testing.T, s *apitest.Server, owner string) {
	t.Helper()
	newest := s.Send(t, owner, owner, "!").ID
	until(t, func() bool {
		fill(t, s, owner, owner, "!", 100)
		return isIndexed(t, s, owner, newest)
	})
}

// isIndexed reports whether a message of an owner, and all before it, are indexed.
func isIndexed(t *testing.T, s *apitest.Server, owner string, id uuid.UUID) bool {
	t.Helper()
	var indexed []uuid.UUID
	err := s.DB.Read(t.Context(), func(ctx context.Context, q sqlx.QueryerContext) error {
		return sqlx.SelectContext(ctx, q, &indexed, "SELECT indexed FROM search_indexes WHERE owner = $1", owner)
	})
	if err != nil {
		t.Fatal(err)
	}
	return len(indexed) == 1 && slices.Compare(indexed[0][:], id[:]) >= 0
}
