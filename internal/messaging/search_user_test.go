package messaging

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/mailbox"
)

// searchAll returns the texts that a user finds, from all pages of a size, and how many pages there were.
func (s *inboxTest) searchAll(user, words string, limit int) (texts []string, pages int) {
	s.t.Helper()
	for w := (Window{Limit: limit}); ; {
		page, err := s.SearchUser(s.t.Context(), AsUser(user), user, w, words, false)
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
		s.group("~all", "alice", "bob", "erased")
		s.group("~none", "alice")
		s.group("~other", "carol")
		want := map[string][]string{}
		send := func(sender, recipient string, readers ...string) {
			text := fmt.Sprintf("lunch %s %s %d", sender, strings.TrimPrefix(recipient, "~"), s.mailboxes.NewIDs(1)[0].Time().UnixNano())
			if recipient[0] == '~' {
				s.post(sender, recipient, text)
				s.post(sender, recipient, "dinner")
			} else if _, _, err := s.Send(t.Context(), AsService, Draft{Sender: sender, Recipient: recipient, Text: text}); err != nil {
				t.Fatal(err)
			}
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
		joined := s.mailboxes.NewIDs(1)[0]
		s.join("~none", "bob", joined)
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
			for range indexMessages {
				if owner[0] == '~' {
					s.post("alice", owner, "breakfast")
				} else {
					s.direct("carol", owner)
				}
			}
			if err := s.indexer.catchUp(t.Context(), owner); err != nil {
				t.Fatal(err)
			}
		}
		check("after it is indexed")
		some(true)
		check("partly indexed")
		s.exec(`UPDATE memberships SET state = 'removed' WHERE user_id = 'bob' AND group_id = '~all'`)
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
			s.group(fmt.Sprintf("~group-%d", i), "bob")
		}
		var want []string
		for i := range groups * rounds {
			text := fmt.Sprintf("breakfast %d", i)
			if i%50 == 7 {
				text = fmt.Sprintf("lunch %d", i)
				want = append([]string{text}, want...)
			}
			s.post("alice", fmt.Sprintf("~group-%d", i%groups), text)
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
