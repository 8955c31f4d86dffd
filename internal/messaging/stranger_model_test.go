package messaging

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/table"
)

// TestStrangerLearnsNothing has alice and bob talk at random while carl tries everything, with ids and keys
// of theirs too. No answer and no error has an id, a text or a time of theirs, or differs from the one for
// a message that does not exist; and nothing of theirs changes. It logs the seed.
func TestStrangerLearnsNothing(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		m := &strangerModel{t: t, random: rand.New(rand.NewPCG(seed, 0)), now: time.Now().UTC().Truncate(time.Millisecond), times: map[time.Time]bool{}}
		m.Service = New(dbtest.Open(t, dbtest.NewURL(t, engine)), Options{Now: func() time.Time { return m.now }})
		defer m.Close(t.Context()) //nolint:errcheck // nothing waits
		for range dbtest.Rounds(t, 10, 100, 2000) {
			m.tick()
			m.talk()
			for range 3 {
				m.tick()
				m.try()
			}
		}
	})
}

// strangerModel is what alice and bob have done, and what carl has.
type strangerModel struct {
	*Service

	t      *testing.T
	random *rand.Rand
	now    time.Time // another one for each step

	sent  []Message // by alice and bob
	ids   []ID      // of all their changes
	times map[time.Time]bool
}

func (m *strangerModel) tick() { m.now = m.now.Add(time.Millisecond) }

func one[T any](random *rand.Rand, list ...T) T { return list[random.IntN(len(list))] }

// key is an idempotency key, of which there are few.
func (m *strangerModel) key() string { return one(m.random, "", "a", "b", "c", "d") }

// talk has alice or bob do something.
func (m *strangerModel) talk() {
	ctx, user, peer := m.t.Context(), "alice", "bob"
	if m.random.IntN(2) == 0 {
		user, peer = peer, user
	}
	var err error
	about := m.messageOf(user)
	switch n := m.random.IntN(10); {
	case n < 5 || about == nil:
		draft := Draft{Sender: user, Recipient: peer, Text: "secret number " + m.now.String(), IdempotencyKey: m.key()}
		if about != nil && n == 0 {
			draft.ReplyTo = &about.ID
		}
		var sent Message
		if sent, _, err = m.Send(ctx, AsUser(user), draft); err == nil {
			m.sent = append(m.sent, sent)
		} else if outcomeOf(err) == "idempotency key reused Idempotency-Key" {
			err = nil
		}
	case n == 5:
		if _, err = m.Edit(ctx, AsUser(user), about.ID, Edit{Text: new("secret edit " + m.now.String())}); outcomeOf(err) == "message deleted" {
			err = nil
		}
	case n == 6:
		err = m.Delete(ctx, AsUser(user), about.ID)
	case n == 7:
		if _, err = m.SetReadMarker(ctx, AsUser(peer), peer, user, about.ID); outcomeOf(err) == "invalid argument messageId" {
			err = nil // all are deleted
		}
	case n == 8:
		err = m.BlockUser(ctx, AsUser(user), user, one(m.random, "carl", "dora"))
	case n == 9:
		if err = m.UnblockUser(ctx, AsUser(user), user, "carl"); err == nil {
			err = m.indexer.catchUp(ctx, user)
		}
	}
	if err != nil {
		m.t.Fatal(err)
	}
	positions, err := m.Positions(ctx, []string{"alice", "bob"})
	if err != nil {
		m.t.Fatal(err)
	}
	for _, p := range positions {
		if p.Clock.Time().Equal(m.now) { // else it is carl's
			m.ids, m.times[m.now] = append(m.ids, p.Clock), true
		}
	}
}

// messageOf is a message that a user has sent, or nil.
func (m *strangerModel) messageOf(user string) *Message {
	for range 10 {
		if len(m.sent) > 0 {
			if message := &m.sent[m.random.IntN(len(m.sent))]; message.Sender == user {
				return message
			}
		}
	}
	return nil
}

// try has carl do something, with an id of theirs and then with one of none.
func (m *strangerModel) try() {
	id := one(m.random, m.ids...)
	attempt := m.attempt()
	before := m.state()
	answer, err := attempt(AsUser("carl"), id)
	m.check(answer, err)
	id[len(id)-1] ^= 1
	again, errAgain := attempt(AsUser("carl"), id)
	if outcomeOf(err) != outcomeOf(errAgain) || err != nil && err.Error() != errAgain.Error() {
		m.t.Errorf("of a message of theirs: %v, of none: %v", err, errAgain)
	}
	m.check(again, errAgain)
	if after := m.state(); after != before {
		m.t.Errorf("carl has changed\n%s to\n%s", before, after)
	}
}

// attempt is an operation with arguments of carl's choice, which may be run twice.
func (m *strangerModel) attempt() func(caller Caller, id ID) (any, error) {
	ctx, random := m.t.Context(), m.random
	user, peer := one(random, "carl", "carl", "carl", "alice"), one(random, "alice", "bob", "carl", "dora")
	words, text, key, reply := one(random, "", "secret", "numb"), "by carl", m.key(), one(random, true, false)
	query := Query{Recipient: one(random, "", "carl", peer), Sender: one(random, "", "carl", peer), Words: words, Highlight: words != "", Window: Window{Limit: 5}}
	window := one(random,
		func(ID) Window { return Window{Limit: 5} },
		func(id ID) Window { return Window{Before: &id, Limit: 5} },
		func(id ID) Window { return Window{After: &id, Limit: 5} })
	cursor := one(random, func(ID) *ID { return nil }, func(id ID) *ID { return &id })
	return one(random,
		func(c Caller, id ID) (any, error) {
			draft := Draft{Sender: user, Recipient: peer, Text: text, IdempotencyKey: key}
			if reply {
				draft.ReplyTo = &id
			}
			sent, _, err := m.Send(ctx, c, draft)
			return sent, err
		},
		func(c Caller, id ID) (any, error) { return m.Get(ctx, c, id) },
		func(c Caller, id ID) (any, error) { return m.Edit(ctx, c, id, Edit{Text: &text}) },
		func(c Caller, id ID) (any, error) { return nil, m.Delete(ctx, c, id) },
		func(c Caller, id ID) (any, error) { return m.SetReadMarker(ctx, c, user, peer, id) },
		func(c Caller, id ID) (any, error) {
			query.Window = window(id)
			return m.List(ctx, c, query)
		},
		func(c Caller, id ID) (any, error) {
			return m.ListConversation(ctx, c, user, peer, Query{Words: words, Highlight: words != "", Window: window(id)})
		},
		func(c Caller, id ID) (any, error) {
			return m.ListConversations(ctx, c, user, InboxQuery{Before: cursor(id), Limit: 5})
		},
		func(c Caller, _ ID) (any, error) { return m.GetConversation(ctx, c, user, peer) },
		func(c Caller, id ID) (any, error) {
			return m.ListChanges(ctx, c, user, cursor(id), 5, PageMaxBytes)
		},
		func(c Caller, _ ID) (any, error) {
			return m.ListChanges(ctx, c, user, &ID{}, 50, PageMaxBytes)
		},
		func(c Caller, _ ID) (any, error) { return m.ListBlocks(ctx, c, user, "", 5) },
		func(c Caller, _ ID) (any, error) {
			if user == peer {
				peer = "dora"
			}
			return nil, m.BlockUser(ctx, c, user, peer)
		},
		func(c Caller, _ ID) (any, error) { return nil, m.UnblockUser(ctx, c, user, peer) },
		func(c Caller, _ ID) (any, error) {
			var records []Record
			err := m.ExportUser(ctx, c, user, func(r Record) error {
				records = append(records, r)
				return nil
			})
			return records, err
		},
		func(c Caller, _ ID) (any, error) { return nil, m.EraseUser(ctx, c, peer) },
	)
}

var anyID = regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`)

// check checks that an answer or error has nothing of theirs.
func (m *strangerModel) check(answer any, err error) {
	m.walk(reflect.ValueOf(answer))
	if err != nil {
		m.walk(reflect.ValueOf(err.Error()))
		for _, found := range anyID.FindAllString(err.Error(), -1) {
			m.walk(reflect.ValueOf(ID(uuid.MustParse(found))))
		}
	}
	if m.t.Failed() {
		m.t.Fatalf("carl got %+v, %v", answer, err)
	}
}

func (m *strangerModel) walk(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			m.walk(v.Elem())
		}
	case reflect.Struct:
		for _, field := range v.Fields() {
			m.walk(field)
		}
	case reflect.Slice:
		for i := range v.Len() {
			m.walk(v.Index(i))
		}
	case reflect.String:
		if strings.Contains(v.String(), "secret") {
			m.t.Errorf("it has %q", v)
		}
	case reflect.Array:
		if id, ok := reflect.TypeAssert[ID](v); ok && m.times[id.Time()] {
			m.t.Errorf("it has %s, of their time", id)
		}
	}
}

// state is all that concerns alice and bob alone.
func (m *strangerModel) state() (state string) {
	read(m.t, m.Service, func(ctx context.Context, q sqlx.QueryerContext) error {
		for _, statement := range []string{
			"SELECT * FROM messages WHERE sender IN ('alice', 'bob') AND recipient IN ('alice', 'bob') ORDER BY id",
			"SELECT * FROM conversations WHERE owner IN ('alice', 'bob') AND peer IN ('alice', 'bob') ORDER BY owner",
			"SELECT * FROM read_markers WHERE owner IN ('alice', 'bob') ORDER BY owner, peer",
			"SELECT * FROM blocks WHERE owner IN ('alice', 'bob') ORDER BY owner, peer",
		} {
			err := table.EachRow(ctx, q, func(rows *sqlx.Rows) (enough bool, err error) {
				values, err := rows.SliceScan()
				state += fmt.Sprintf("%q\n", values)
				return false, err
			}, statement)
			if err != nil {
				return err
			}
		}
		return nil
	})
	return state
}
