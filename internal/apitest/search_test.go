package apitest_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/messaging"
)

// TestSearch searches the messages that a user has received or sent. What finds what is tested in
// package words.
func TestSearch(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		lunch := s.Send(t, "alice", "bob", "Lunch at NOON? (bring the O'Reilly book)")
		dinner := s.Send(t, "carol", "bob", "No lunch. Dinner at eight!")
		cafe := s.Send(t, "alice", "bob", "Café, café, Überraschung; встреча; 寿司が好き; हिन्दी का मेल")
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
			"lun":                 {note.ID, dinner.ID, lunch.ID}, // the beginning of a word
			"lun ":                {},                             // a word
			"lun noon":            {},
			"unch":                {},
			"cafe uberraschung":   {cafe.ID},
			"CAFE\u0301 ВСТРЕЧА":  {cafe.ID},
			"寿":                   {cafe.ID},
			"が好":                  {cafe.ID},
			"मेल":                 {cafe.ID},
			"मिल":                 {},
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

// TestSearchConversation searches what two users have written to each other, in either direction.
func TestSearchConversation(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		var age time.Duration
		s := apitest.Start(t, engine, messaging.Options{Now: func() time.Time { return time.Now().Add(-age) }})
		age = 100 * 24 * time.Hour
		old := s.Send(t, "alice", "bob", "An old lunch")
		age = 0
		s.Send(t, "carol", "bob", "Lunch with carol")
		answer := s.Send(t, "bob", "alice", "No lunch today")
		s.Send(t, "bob", "alice", "Dinner")
		newest := s.Send(t, "alice", "bob", "Lunch tomorrow?")
		note := s.Send(t, "bob", "bob", "Lunch: buy bread")
		for _, c := range []struct {
			user, peer, q string
			want          []uuid.UUID
		}{
			{"alice", "bob", "lunch", []uuid.UUID{newest.ID, answer.ID, old.ID}},
			{"bob", "alice", "lunch", []uuid.UUID{newest.ID, answer.ID, old.ID}},
			{"bob", "alice", "lunch no", []uuid.UUID{answer.ID}},
			{"bob", "bob", "lunch", []uuid.UUID{note.ID}},
			{"alice", "carol", "lunch", []uuid.UUID{}},
			{"alice", "bob", "breakfast", []uuid.UUID{}},
		} {
			if got := ids(s.Thread(t, c.user, c.peer, client.ListConversationMessagesParams{Q: &c.q}).Messages); !slices.Equal(got, c.want) {
				t.Errorf("%q between %s and %s: got %v, want %v", c.q, c.user, c.peer, got, c.want)
			}
		}
		if got := ids(s.List(t, client.ListMessagesParams{Recipient: new("bob"), Sender: new("alice"), Q: new("lunch")}).Messages); !slices.Equal(got, []uuid.UUID{newest.ID, old.ID}) {
			t.Errorf("from alice to bob, of any age: got %v", got)
		}
		s.Delete(t, newest.ID)
		since := client.ListConversationMessagesParams{Q: new("lunch"), Since: new(answer.SentAt)}
		if got := ids(s.Thread(t, "alice", "bob", since).Messages); !slices.Equal(got, []uuid.UUID{answer.ID}) {
			t.Errorf("after a deletion, since the answer: got %v", got)
		}
	})
}

// TestSearchRefused checks the bounds of what may be searched.
func TestSearchRefused(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		s.Send(t, "alice", "bob", "x")
		for _, path := range []string{"/v1/messages?recipient=bob", "/v1/messages?sender=bob", "/v1/users/bob/conversations/alice/messages?"} {
			for _, c := range []struct {
				query  url.Values
				status int
			}{
				{url.Values{"q": {strings.Repeat("x ", 31) + "x"}}, http.StatusOK},
				{url.Values{"q": {" \t" + strings.Repeat("x  ", 32)}}, http.StatusOK},
				{url.Values{"q": {strings.Repeat("x ", 33)}}, http.StatusBadRequest},
				{url.Values{"q": {strings.Repeat("x\u3000", 32) + "x"}}, http.StatusBadRequest},
				{url.Values{"q": {strings.Repeat("可", 128)}}, http.StatusOK},
				{url.Values{"q": {strings.Repeat("a.", 64)}}, http.StatusOK},
				{url.Values{"q": {strings.Repeat("😀", 129)}}, http.StatusBadRequest},
				{url.Values{"q": {""}}, http.StatusBadRequest},
				{url.Values{"q": {"x\x00"}}, http.StatusBadRequest},
				{url.Values{"q": {" "}}, http.StatusOK},
				{url.Values{"highlight": {"true"}}, http.StatusUnprocessableEntity},
				{url.Values{"highlight": {"false"}}, http.StatusOK},
				{url.Values{"highlight": {"yes"}, "q": {"x"}}, http.StatusBadRequest},
			} {
				answer := s.Do(t, http.MethodGet, path+"&"+c.query.Encode(), nil)
				parameter := "q"
				if c.query.Has("highlight") {
					parameter = "highlight"
				}
				if answer.Status != c.status || c.status != http.StatusOK && !slices.Equal(errorPlaces(answer.Body), []string{parameter}) {
					t.Errorf("%s %v: %d %s, want %d", path, c.query, answer.Status, answer.Body, c.status)
				}
			}
		}
		everyone := s.Do(t, http.MethodGet, "/v1/messages?q=x", nil)
		if everyone.Status != http.StatusUnprocessableEntity || !slices.Equal(errorPlaces(everyone.Body), []string{"q"}) {
			t.Errorf("among everyone's: %d %s", everyone.Status, everyone.Body)
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
