package apitest_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/messaging"
)

// TestSearchAfterChanges sends, edits, deletes and erases at random, and must find each word in
// exactly the messages that have it now. SQLite's full-text index must be given the same words
// for a removal as for the insertion, or it finds too much or too little from then on. It logs the seed.
func TestSearchAfterChanges(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	words := []string{"lunch", "Lunch", "caf\u00e9", "cafe\u0301", "\u5bff\u53f8", "\u092e\u0947\u0932", "\u0939\u093f\u0928\u094d\u0926\u0940", "I\u0307stanbul", "straße", "O'Reilly", "a.b-c", "42", "😀", "naïve", "ﬁne"}
	users := []string{"alice", "bob", "carol", "Erin@example.org"}
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		random := rand.New(rand.NewPCG(seed, 0))
		s := apitest.Start(t, engine, messaging.Options{})
		live := map[uuid.UUID]client.Message{}
		text := func() string {
			var text []string
			for range 1 + random.IntN(4) {
				text = append(text, words[random.IntN(len(words))])
			}
			return strings.Join(text, " ")
		}
		pick := func() (m client.Message) {
			ids := make([]uuid.UUID, 0, len(live))
			for id := range live {
				ids = append(ids, id)
			}
			slices.SortFunc(ids, func(a, b uuid.UUID) int { return slices.Compare(a[:], b[:]) })
			return live[ids[random.IntN(len(ids))]]
		}
		for i := range 250 {
			switch n := random.IntN(10); {
			case len(live) < 5 || n < 5:
				m := s.Send(t, users[random.IntN(len(users))], users[random.IntN(len(users))], text())
				live[m.ID] = m
			case n < 8:
				m := pick()
				live[m.ID] = s.Edit(t, m.ID, client.EditMessageRequest{Text: new(text())})
			case i == 150:
				s.Erase(t, "carol")
				for id, m := range live {
					if m.Sender == "carol" || m.Recipient == "carol" {
						delete(live, id)
					}
				}
			default:
				m := pick()
				s.Delete(t, m.ID)
				delete(live, m.ID)
			}
		}
		for _, user := range users {
			for _, word := range words {
				var got, want []string
				for _, m := range s.List(t, client.ListMessagesParams{Recipient: &user, Q: &word, Limit: new(int32(100))}).Messages {
					got = append(got, m.ID.String())
					if current, ok := live[m.ID]; !ok || current.Text != m.Text {
						t.Errorf("%q finds %+v, which is no more", word, m)
					}
				}
				for id, m := range live {
					if m.Recipient == user && slices.Contains(strings.Fields(m.Text), word) {
						want = append(want, id.String())
					}
				}
				for _, id := range want {
					if !slices.Contains(got, id) && hasLetters(word) {
						t.Errorf("%q does not find %s", word, id)
					}
				}
			}
		}
		if engine == db.SQLite {
			err := s.DB.Tx(t.Context(), testTimeout, func(ctx context.Context, tx *sqlx.Tx) error {
				_, err := tx.ExecContext(ctx, "INSERT INTO message_words (message_words) VALUES ('integrity-check')")
				return err
			})
			if err != nil {
				t.Errorf("the index is broken: %v", err)
			}
			checkNoOrphans(t, s, len(live))
		}
	})
}

// hasLetters reports whether a query has anything to search for.
func hasLetters(word string) bool { return word != "😀" }

// checkNoOrphans compares the words of the index and their frequencies with those of an index
// rebuilt from the messages.
func checkNoOrphans(t *testing.T, s *apitest.Server, messages int) {
	t.Helper()
	var differences []string
	err := s.DB.Tx(t.Context(), testTimeout, func(ctx context.Context, tx *sqlx.Tx) error {
		for _, statement := range []string{
			`CREATE VIRTUAL TABLE anew USING fts5 (mailboxes, text, content = '', columnsize = 0, tokenize = "unicode61 remove_diacritics 2")`,
			`INSERT INTO anew (rowid, mailboxes, text)
			 SELECT number, 'r' || hex(recipient) || ' s' || hex(sender), text FROM message_numbers JOIN messages USING (recipient, id) WHERE deleted = false`,
			`CREATE VIRTUAL TABLE is_there USING fts5vocab (message_words, instance)`,
			`CREATE VIRTUAL TABLE should_be USING fts5vocab (anew, instance)`,
		} {
			if _, err := tx.ExecContext(ctx, statement); err != nil {
				return err
			}
		}
		var numbers int
		if err := tx.GetContext(ctx, &numbers, "SELECT count(*) FROM message_numbers"); err != nil || numbers != messages {
			differences = append(differences, fmt.Sprintf("%d numbers of %d messages", numbers, messages))
		}
		return tx.SelectContext(ctx, &differences, `
			SELECT 'too much: ' || term FROM (SELECT term, doc, col, "offset" FROM is_there EXCEPT SELECT term, doc, col, "offset" FROM should_be)
			UNION ALL
			SELECT 'missing: ' || term FROM (SELECT term, doc, col, "offset" FROM should_be EXCEPT SELECT term, doc, col, "offset" FROM is_there)`)
	})
	if err != nil || len(differences) > 0 {
		t.Errorf("the index differs from what is stored: %q (%v)", differences, err)
	}
}
