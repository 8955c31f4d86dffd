package apitest_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/messaging"
)

func TestSearch(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		lunch := s.Send(t, "alice", "bob", "Lunch at NOON? (bring the O'Reilly book)")
		dinner := s.Send(t, "carol", "bob", "No lunch. Dinner at eight!")
		cafe := s.Send(t, "alice", "bob", "Café, café, Überraschung; встреча; 寿司")
		s.Send(t, "alice", "carol", "Lunch at noon, but not with bob. r:bob s:alice")
		note := s.Send(t, "bob", "bob", "lunch notes")
		search := func(q string, params client.ListMessagesParams) []uuid.UUID {
			t.Helper()
			params.Q = &q
			return ids(s.List(t, params).Messages)
		}
		bob, alice := client.ListMessagesParams{Recipient: new("bob")}, client.ListMessagesParams{Sender: new("alice")}
		for q, want := range map[string][]uuid.UUID{
			"lunch":               {note.ID, dinner.ID, lunch.ID},
			"LUNCH noon":          {lunch.ID},
			"noon lunch":          {lunch.ID},
			"lunch dinner noon":   {},
			"lunc":                {},
			"Überraschung":        {cafe.ID},
			"встреча":             {cafe.ID},
			"notes -lunch":        {note.ID}, // there are no operators
			`"at lunch"`:          {dinner.ID, lunch.ID},
			"O'Reilly":            {lunch.ID},
			"lunch OR dinner":     {},
			"?!":                  {},
			"r:bob":               {},
			"<b>":                 {},
			"lunch & | ! ( ) : *": {note.ID, dinner.ID, lunch.ID},
		} {
			if got := search(q, bob); !slices.Equal(got, want) {
				t.Errorf("%q to bob: got %v, want %v", q, got, want)
			}
		}
		for text, q := range map[string]string{
			"see foo/bar now": "bar", "visit example.com/path?x=1": "path", "mail user@host.org": "host", "on 2024-01-15 ok": "01",
			"phone 555-1234": "1234", "say <urgent> please": "urgent", "a&amp;b": "amp", "version 1.5.3": "5", "snake_case": "case",
			`back\slash`: "slash", "tick`tack": "tack", "it's": "it's",
		} {
			m := s.Send(t, "erin", "frank", text)
			if got := search(q, client.ListMessagesParams{Recipient: new("frank"), Sender: new("erin")}); !slices.Contains(got, m.ID) {
				t.Errorf("%q is not found in %q", q, text)
			}
		}
		// The test's Postgres has the locale C, which folds the case of ASCII letters only.
		if got := search("überraschung ВСТРЕЧА cafe", bob); engine == db.SQLite && !slices.Equal(got, []uuid.UUID{cafe.ID}) {
			t.Errorf("letters of other languages: got %v", got)
		}
		if got := search("lunch", alice); len(got) != 2 {
			t.Errorf("from alice: got %d, want 2", len(got))
		}
		if got := search("lunch", client.ListMessagesParams{Recipient: new("bob"), Sender: new("alice")}); !slices.Equal(got, []uuid.UUID{lunch.ID}) {
			t.Errorf("from alice to bob: got %v", got)
		}
		later := lunch.SentAt.Add(time.Millisecond)
		if got := search("lunch", client.ListMessagesParams{Recipient: new("bob"), Since: &later}); slices.Contains(got, lunch.ID) {
			t.Errorf("since later: got %v", got)
		}

		s.Edit(t, lunch.ID, client.EditMessageRequest{Text: new("Supper at noon")})
		s.Delete(t, dinner.ID)
		if got := search("lunch", bob); !slices.Equal(got, []uuid.UUID{note.ID}) {
			t.Errorf("after an edit and a deletion: got %v", got)
		}
		if got := search("supper", bob); !slices.Equal(got, []uuid.UUID{lunch.ID}) {
			t.Errorf("the edited text: got %v", got)
		}
		s.Edit(t, lunch.ID, client.EditMessageRequest{Text: new("Lunch again")})
		if got := search("lunch", bob); !slices.Equal(got, []uuid.UUID{note.ID, lunch.ID}) {
			t.Errorf("an edited message keeps its place: got %v", got)
		}
	})
}

// TestSearchPages walks in both directions through more matches than fit on a page, in a
// mailbox that is too large to be scanned.
func TestSearchPages(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		fill(t, s, "alice", "bob", "needle", 120)
		fill(t, s, "alice", "bob", "hay", 1100)
		fill(t, s, "alice", "bob", "a needle in the hay", 30)
		fill(t, s, "alice", "carol", "needle", 50)
		for _, params := range []client.ListMessagesParams{
			{Recipient: new("bob"), Q: new("needle"), Limit: new(int32(40))},
			{Sender: new("alice"), Recipient: new("bob"), Q: new("needle"), Limit: new(int32(40))},
			{Recipient: new("bob"), Q: new("needle"), Limit: new(int32(40)), After: new(uuid.UUID)},
		} {
			var walked []uuid.UUID
			for page := range walk(t, s, params) {
				for _, m := range page.Messages {
					if m.Text == "hay" {
						t.Errorf("found %+v", m)
					}
				}
				if params.After == nil {
					walked = append(walked, ids(page.Messages)...)
				} else {
					walked = append(ids(page.Messages), walked...)
				}
			}
			if len(walked) != 150 || !slices.IsSortedFunc(walked, func(a, b uuid.UUID) int { return slices.Compare(b[:], a[:]) }) {
				t.Errorf("walked %d matches, want 150 in order", len(walked))
			}
		}
		if sent := s.List(t, client.ListMessagesParams{Sender: new("alice"), Q: new("needle")}); len(sent.Messages) != 100 || !sent.HasMore ||
			sent.Messages[0].Recipient != "carol" {
			t.Errorf("found %d messages from alice", len(sent.Messages))
		}
	})
}

// TestSearchInput searches for random input. It logs the seed.
func TestSearchInput(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		s.Send(t, "alice", "bob", "x")
		random := rand.New(rand.NewPCG(seed, 0))
		pieces := []string{`"`, `'`, `\`, `*`, `(`, `)`, `:`, `^`, `{`, `}`, `-`, `+`, `&`, `|`, `!`, `<->`, `<b>`, `$1`, `%`, `;`, `--`, "\t", "\n",
			" AND ", " OR ", " NOT ", "NEAR(", "text:", "mailboxes:", "x", "é", "е́", "\u0301", "\u200d", "👩‍👩‍👧", "寿", "\u0e33", "\ufffd", "ﬁ", "http://a.b/c?d", "a@b.c", "1.5e-3"}
		for range 400 {
			var q string
			for range 1 + random.IntN(6) {
				if random.IntN(4) == 0 {
					q += string(rune(1 + random.IntN(0x10ffff)))
				} else {
					q += pieces[random.IntN(len(pieces))]
				}
			}
			query := url.Values{"q": {q}, []string{"recipient", "sender"}[random.IntN(2)]: {"bob"}}.Encode()
			if answer := s.Do(t, http.MethodGet, fmt.Sprintf("/v1/messages?%s", query), nil); answer.Status != http.StatusOK {
				t.Errorf("%q: %d %s", q, answer.Status, answer.Body)
			}
		}
	})
}

// TestSearchSwitchedOff drops the index of a store and recreates it.
func TestSearchSwitchedOff(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		with := apitest.Start(t, engine, messaging.Options{})
		before, changed := with.Send(t, "alice", "bob", "lunch before"), with.Send(t, "alice", "bob", "lunch, soon to be dinner")
		for _, steps := range []int{1, 0} {
			if names, err := with.DB.Migrate(t.Context(), messaging.SearchStep); err != nil || len(names) != steps {
				t.Fatalf("took back %q, %v", names, err)
			}
		}
		s := apitest.StartOn(t, with.DatabaseURL, messaging.Options{SearchOff: true})
		refused := apitest.Call(s.ListMessagesWithResponse(t.Context(), &client.ListMessagesParams{Recipient: new("bob"), Q: new("lunch")})).Must(t, http.StatusUnprocessableEntity)
		problem := refused.ApplicationProblemJSON422
		if *problem.Errors[0].Parameter != "q" {
			t.Errorf("searched all the same: %s", refused.Body)
		}
		during := s.Send(t, "alice", "bob", "lunch meanwhile")
		s.Edit(t, changed.ID, client.EditMessageRequest{Text: new("dinner")})
		s.Delete(t, s.Send(t, "alice", "bob", "lunch, deleted").ID)

		on := apitest.StartOn(t, s.DatabaseURL, messaging.Options{}) // makes the index
		after := on.Send(t, "alice", "bob", "lunch after")
		page := on.List(t, client.ListMessagesParams{Recipient: new("bob"), Q: new("lunch")})
		if !slices.Equal(ids(page.Messages), []uuid.UUID{after.ID, during.ID, before.ID}) {
			t.Errorf("found %+v", page.Messages)
		}
	})
}
