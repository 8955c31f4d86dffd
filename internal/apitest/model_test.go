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
)

// model is what the service promises, in memory: the messages in their order, and
// what else there is, without any of the ways in which the service does it.
type model struct {
	messages []*modelMessage
	markers  map[pair]uuid.UUID
	blocks   map[pair]bool
	keys     map[string]*modelMessage
}

type pair struct{ user, peer string }

type modelMessage struct {
	client.Message

	body    string // of the original request
	edited  bool
	deleted bool
}

func newModel() *model {
	return &model{markers: map[pair]uuid.UUID{}, blocks: map[pair]bool{}, keys: map[string]*modelMessage{}}
}

func (m *model) between(a, b string) func(*modelMessage) bool {
	return func(message *modelMessage) bool {
		return message.Sender == a && message.Recipient == b || message.Sender == b && message.Recipient == a
	}
}

// list returns the ids of the messages that match and are not deleted, newest first.
func (m *model) list(wanted func(*modelMessage) bool) []uuid.UUID {
	list := []uuid.UUID{}
	for _, message := range m.messages {
		if !message.deleted && wanted(message) {
			list = slices.Insert(list, 0, message.ID)
		}
	}
	return list
}

func (m *model) unread(user, peer string) int {
	marker := m.markers[pair{user, peer}]
	if user == peer {
		return 0
	}
	unread := len(m.list(func(message *modelMessage) bool {
		return message.Recipient == user && message.Sender == peer && message.ID.String() > marker.String()
	}))
	return min(unread, 100)
}

func (m *modelMessage) erase() {
	m.Text, m.Metadata, m.ReplyTo, m.deleted = "", nil, nil, true
}

// has reports whether all words are in the text, the last one at least as the beginning of a word.
func (m *modelMessage) has(words string) bool {
	text, sought := strings.Fields(m.Text), strings.Fields(strings.ToLower(words))
	for i, word := range sought {
		if !slices.ContainsFunc(text, func(s string) bool { return s == word || i == len(sought)-1 && strings.HasPrefix(s, word) }) {
			return false
		}
	}
	return true
}

// TestModel applies random requests of several users, by their tokens or a service key, to two replicas and to
// a model, and compares everything that can be read. It logs the seed.
func TestModel(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.StartAuthenticated(t, dbtest.NewURL(t, engine))
		run := &modelRun{
			t: t, model: newModel(), random: rand.New(rand.NewPCG(seed, 0)),
			replicas: []*apitest.Server{s, apitest.StartAuthenticated(t, s.DatabaseURL)},
			users:    []string{"alice", "bob", "carol", "dave"},
		}
		for i := range 400 {
			if run.step(); t.Failed() || i%50 == 49 {
				run.compare()
			}
			if t.Failed() {
				t.Fatalf("after %d steps with the seed %d", i+1, seed)
			}
		}
	})
}
