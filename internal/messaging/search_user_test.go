package messaging

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/mailbox"
	"github.com/message-service/message-service/internal/roster"
	"github.com/message-service/message-service/internal/searchindex"
)

// searchAll returns the texts that a user finds, from all pages of a size, and how many pages there were.
func (s *inboxTest) searchAll(user, words string, limit int) (texts []string, pages int) {
	s.t.Helper()
	for w := (Window{Limit: limit}); ; {
		page, err := s.SearchUser(s.t.Context(), AsUser(user), user, Query{Words: words, Window: w})
		if err != nil {
			s.t.Fatal(err)
		}
		for _, m := range page.Messages {
			texts = append(texts, m.Text)
		}
		if pages++; !page.HasMore {
			return texts, pages
		}
		if w.Before != nil && page.Next.Compare(*w.Before) >= 0 {
			s.t.Fatalf("the page below %v goes on below %v", *w.Before, page.Next)
		}
		w.Before = &page.Next
	}
}

// TestSearchOfUser looks for a word in all that users can see, before and after it is indexed.
func TestSearchOfUser(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := newInboxTest(t, engine)
		s.group("~all", "alice", "bob")
		s.group("~none", "alice")
		s.group("~other", "carol")
		want := map[string][]string{}
		send := func(sender, recipient string, readers ...string) {
			text := fmt.Sprintf("lunch %s %s %d", sender, strings.TrimPrefix(recipient, "~"), s.mailboxes.NewIDs(1)[0].Time().UnixNano())
			s.send(sender, recipient, text)
			s.send(sender, recipient, "dinner")
			for _, reader := range readers {
				want[reader] = append([]string{text}, want[reader]...)
			}
		}
		some := func(bobIsIn bool) {
			inNone := []string{"alice"}
			if bobIsIn {
				inNone = append(inNone, "bob")
			}
			for range 3 {
				send("alice", "bob", "alice", "bob")
				send("alice", "~all", "alice", "bob")
				send("bob", "alice", "alice", "bob")
				send("bob", "~all", "alice", "bob")
				send("carol", "~other")
				send("alice", "~none", inNone...)
				send("bob", "bob", "bob")
			}
		}
		some(false)
		s.join("~none", roster.None, "bob")
		some(true)
		check := func(when string) {
			t.Helper()
			for _, user := range []string{"alice", "bob", "dora"} {
				for _, limit := range []int{1, 3, 100} {
					if got, _ := s.searchAll(user, "lunch", limit); !slices.Equal(got, want[user]) {
						t.Errorf("%s, on pages of %d, %s finds\n%v\nwant\n%v", when, limit, user, got, want[user])
					}
				}
			}
		}
		check("before it is indexed")
		for _, owner := range []string{"alice", "bob", "~all", "~none"} {
			sender := "carol"
			if roster.IsGroup(owner) {
				sender = "alice"
			}
			s.sendMany(sender, owner, "breakfast", indexMessages)
			if err := s.indexer.catchUp(t.Context(), owner); err != nil {
				t.Fatal(err)
			}
		}
		check("after it is indexed")
		some(true)
		check("partly indexed")
		s.leave("~all", "bob")
		want["bob"] = slices.DeleteFunc(want["bob"], func(text string) bool { return strings.Contains(text, " all ") })
		check("after bob was removed")
	})
}

// TestSearchOfUserIsBounded searches in groups in which messages alternate, with more of them than a page may look at.
// Each page must get on by a share of all of them, and look at no more than it may.
func TestSearchOfUserIsBounded(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := newInboxTest(t, engine)
		const groups, rounds = 20, 10
		for i := range groups {
			s.group(fmt.Sprintf("~group-%d", i), "alice", "bob")
		}
		var want []string
		for i := range groups * rounds {
			text := fmt.Sprintf("breakfast %d", i)
			if i%50 == 7 {
				text = fmt.Sprintf("lunch %d", i)
				want = append([]string{text}, want...)
			}
			s.send("alice", fmt.Sprintf("~group-%d", i%groups), text)
		}
		most := amount{messages: 2 * (groups + 1) * 2, bytes: 1 << 20} // two of each mailbox, twice
		var got []string
		pages, high := 0, mailbox.LastID
		for more := true; more; pages++ {
			search := userSearch{engine: s.engine, user: "bob", Query: Query{Words: "lunch", Window: Window{Limit: 10}}, bounds: idRange{high: high}, most: most}
			page, err := s.page(t.Context(), search.Window, search.read)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range page.Messages {
				got = append(got, m.Text)
			}
			if more = page.HasMore; more && page.Next.Compare(high) >= 0 {
				t.Fatalf("the page below %v goes on below %v", high, page.Next)
			}
			high = page.Next
		}
		if !slices.Equal(got, want) || pages < 3 || pages > 6 {
			t.Errorf("found %v on %d pages, want %v", got, pages, want)
		}
		if got, pages := s.searchAll("bob", "!", 10); got != nil || pages != 1 {
			t.Errorf("found %v on %d pages", got, pages)
		}
	})
}

// slow is a database each query of which takes a while.
type slow struct{ sqlx.QueryerContext }

const slowQuery = 100 * time.Millisecond

func (s slow) QueryxContext(ctx context.Context, query string, args ...any) (*sqlx.Rows, error) {
	time.Sleep(slowQuery) //nolint:forbidigo // of the bubble, which does not wait
	return s.QueryerContext.QueryxContext(ctx, query, args...)
}

func (s slow) QueryRowxContext(ctx context.Context, query string, args ...any) *sqlx.Row {
	time.Sleep(slowQuery) //nolint:forbidigo // of the bubble, which does not wait
	return s.QueryerContext.QueryRowxContext(ctx, query, args...)
}

// TestSearchOfUserOnBusyMachine searches more groups than it can in the time that a read on SQLite may take: pages end early, and
// together have everything.
func TestSearchOfUserOnBusyMachine(t *testing.T) {
	t.Parallel()
	s := newInboxTest(t, db.SQLite)
	var want []string
	for i := range 20 {
		group, text := fmt.Sprintf("~group-%d", i), fmt.Sprintf("lunch %d", i)
		s.group(group, "alice", "bob")
		s.send("alice", group, text)
		want = append([]string{text}, want...)
	}
	if got, _ := s.searchAll("bob", "lunch", 100); !slices.Equal(got, want) { // this also connects: the bubble takes no connection of others
		t.Fatalf("found %v, want %v", got, want)
	}
	synctest.Test(t, func(t *testing.T) {
		var got []string
		pages, high := 0, mailbox.LastID
		for more := true; more; pages++ {
			search := userSearch{
				engine: s.engine, user: "bob", Query: Query{Words: "lunch", Window: Window{Limit: 100}}, bounds: idRange{high: high}, most: userSearchMax,
			}
			page, err := s.page(t.Context(), search.Window, func(ctx context.Context, q sqlx.QueryerContext) (Page, error) {
				return search.read(ctx, slow{q})
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range page.Messages {
				got = append(got, m.Text)
			}
			if more = page.HasMore; more && page.Next.Compare(high) >= 0 {
				t.Fatalf("the page below %v goes on below %v", high, page.Next)
			}
			high = page.Next
		}
		if !slices.Equal(got, want) || pages < 2 {
			t.Errorf("found %v on %d pages, want %v", got, pages, want)
		}
	})
}

// TestIndexOfGroup changes messages of a group, which its index has and that of their sender has not.
func TestIndexOfGroup(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := newInboxTest(t, engine)
		s.group("~team", "alice", "bob")
		first, second := s.send("alice", "~team", "lunch one"), s.send("alice", "~team", "lunch two")
		s.sendMany("alice", "~team", "breakfast", indexMessages)
		for _, owner := range []string{"alice", "~team"} {
			if err := s.indexer.catchUp(t.Context(), owner); err != nil {
				t.Fatal(err)
			}
		}
		read(t, s.Service, func(ctx context.Context, q sqlx.QueryerContext) error {
			for owner, isIndexed := range map[string]bool{"alice": false, "~team": true} {
				if end, err := searchindex.IndexedUpTo(ctx, q, owner); err != nil || (end != ID{}) != isIndexed {
					t.Errorf("%s is indexed up to %v: %v", owner, end, err)
				}
			}
			return nil
		})
		if _, err := s.Edit(t.Context(), AsUser("alice"), first.ID, Edit{Text: new("supper one")}); err != nil {
			t.Fatal(err)
		}
		if err := s.Delete(t.Context(), AsUser("alice"), second.ID); err != nil {
			t.Fatal(err)
		}
		group := indexed{Service: s.Service, t: t, owner: "~team"}
		group.expect("supper", first.ID)
		group.expect("lunch")
		for _, user := range []string{"alice", "bob"} {
			if got, _ := s.searchAll(user, "supper", 10); !slices.Equal(got, []string{"supper one"}) {
				t.Errorf("%s finds %v", user, got)
			}
		}
	})
}
