package apitest_test

import (
	"math/rand/v2"
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

// TestSearchAfterChanges sends, edits, deletes and erases at random, and must find each word in
// exactly the messages that have it now, whether they were indexed before or not. It logs the seed.
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
			if i == 100 {
				for _, user := range users {
					index(t, s, user)
				}
			}
			switch n := random.IntN(10); {
			case i == 150:
				s.Erase(t, "carol")
				for id, m := range live {
					if m.Sender == "carol" || m.Recipient == "carol" {
						delete(live, id)
					}
				}
			case len(live) < 5 || n < 5:
				m := s.Send(t, users[random.IntN(len(users))], users[random.IntN(len(users))], text())
				live[m.ID] = m
			case n < 8:
				m := pick()
				live[m.ID] = s.Edit(t, m.ID, client.EditMessageRequest{Text: new(text())})
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
					if !slices.Contains(got, id) {
						t.Errorf("%q does not find %s", word, id)
					}
				}
			}
		}
	})
}
