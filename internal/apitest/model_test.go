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
	"github.com/message-service/message-service/internal/app"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/httpapi"
	"github.com/message-service/message-service/internal/messaging"
)

// model is what the service promises, in memory: the messages in their order, and
// what else there is, without any of the ways in which the service does it.
type model struct {
	now         int // the time of the model, one later with each change
	messages    []*modelMessage
	gone        []*modelMessage // of deleted groups
	markers     map[pair]modelMarker
	blocks      map[pair]bool
	keys        map[string]*modelMessage
	groups      map[string]*modelGroup
	memberships map[pair]*modelMembership // by user and group, also those that have ended
	views       map[pair]modelView
}

// pair is a user and a peer, which may be a group.
type pair struct{ user, peer string }

type modelMessage struct {
	client.Message

	body    string // of the original request
	sent    int
	changed int
	edited  bool
	deleted bool
}

// modelMarker is a read marker.
type modelMarker struct {
	id      uuid.UUID
	changed int
}

// modelView is what a user has set for a conversation of theirs.
type modelView struct {
	mutedUntil *time.Time
	hidden     int // up to this time
}

func newModel() *model {
	return &model{
		markers: map[pair]modelMarker{}, blocks: map[pair]bool{}, keys: map[string]*modelMessage{},
		groups: map[string]*modelGroup{}, memberships: map[pair]*modelMembership{}, views: map[pair]modelView{},
	}
}

// sees reports whether a user may read a message.
func (m *model) sees(user string, message *modelMessage) bool {
	if !isGroup(message.Recipient) {
		return message.Sender == user || message.Recipient == user
	}
	member := m.member(user, message.Recipient)
	return member != nil && message.sent >= member.from
}

// between is the messages of a user's conversation with a peer that they may read.
func (m *model) between(user, peer string) func(*modelMessage) bool {
	return func(message *modelMessage) bool {
		if isGroup(peer) {
			return message.Recipient == peer && m.sees(user, message)
		}
		return message.Sender == user && message.Recipient == peer || message.Sender == peer && message.Recipient == user
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
	marker, of := m.markers[pair{user, peer}], m.between(user, peer)
	since := 0
	if member := m.member(user, peer); member != nil {
		since = member.since
	}
	unread := len(m.list(func(message *modelMessage) bool {
		return of(message) && message.Sender != user && message.sent > since && message.ID.String() > marker.id.String()
	}))
	return min(unread, 100)
}

func (m *modelMessage) erase(now int) {
	if !m.deleted {
		m.Text, m.Metadata, m.ReplyTo, m.deleted, m.changed = "", nil, nil, true, now
	}
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
		options := app.Options{API: httpapi.Options{Authenticate: true}, Messaging: messaging.Options{
			GroupsByUsers: true, GroupMaxMembers: modelMaxMembers, UserMaxGroups: modelMaxGroups,
		}}
		s := apitest.StartWith(t, dbtest.NewURL(t, engine), options)
		run := &modelRun{
			t: t, model: newModel(), random: rand.New(rand.NewPCG(seed, 0)),
			replicas: []*apitest.Server{s, apitest.StartWith(t, s.DatabaseURL, options)},
			users:    []string{"alice", "bob", "carol", "dave", "erin"},
		}
		for i := range dbtest.Size(400, 600, 2000) {
			if run.step(); t.Failed() || i%50 == 49 {
				run.compare()
			}
			if t.Failed() {
				t.Fatalf("after %d steps with the seed %d", i+1, seed)
			}
		}
	})
}
