package messaging

import (
	"database/sql/driver"
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/panics"
	"github.com/message-service/message-service/internal/roster"
)

// TestSendPanics panics in batches of sends to users and to groups. A send whose transaction was committed before that has its
// outcome, whether it was stored or refused; one whose transaction was not fails, and is stored when it is sent again.
func TestSendPanics(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		var inside, after atomic.Bool // a transaction
		database := dbtest.Connect(t, dbtest.NewURL(t, engine), db.Options{Trace: func(statement string, _ []driver.NamedValue) {
			ends := strings.Contains(statement, "INSERT INTO conversations") || strings.Contains(statement, "UPDATE groups SET last_message_id")
			if ends && inside.Load() {
				panic("inside a transaction")
			}
		}})
		if _, err := database.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		s := New(database, Options{Publish: func([]string, map[string]Stored) {
			if after.Load() {
				panic("after a transaction")
			}
		}})
		defer s.Close(t.Context()) //nolint:errcheck // nothing waits
		if _, _, err := s.CreateGroup(t.Context(), AsService, NewGroup{Address: "~team", Name: "x", History: roster.All, Owner: "amy"}); err != nil {
			t.Fatal(err)
		}
		if err := s.BlockUser(t.Context(), AsService, "dora", "amy"); err != nil {
			t.Fatal(err)
		}
		for _, recipient := range []string{"bob", "~team"} {
			send := func(key string, replyTo *ID) (m Message, replayed bool, err error) {
				return s.Send(t.Context(), AsService, Draft{Sender: "amy", Recipient: recipient, Text: "x", ReplyTo: replyTo, IdempotencyKey: key})
			}
			after.Store(true)
			first, replayed, err := send("first", nil)
			if err != nil || replayed {
				t.Fatalf("to %s, a panic after the transaction: %t, %v", recipient, replayed, err)
			}
			if m, replayed, err := send("first", nil); err != nil || !replayed || m.ID != first.ID {
				t.Errorf("to %s, it is not stored, but %+v, %v", recipient, m, err)
			}
			after.Store(false)
			inside.Store(true)
			if _, _, err := send("reply", &first.ID); !errors.Is(err, panics.Err) { // replies take the path of the rules
				t.Errorf("to %s, a panic inside the transaction: %v", recipient, err)
			}
			inside.Store(false)
			if _, replayed, err := send("reply", &first.ID); err != nil || replayed {
				t.Errorf("to %s, sent again: %t, %v", recipient, replayed, err)
			}
		}
		after.Store(true)
		if _, _, err := s.Send(t.Context(), AsService, Draft{Sender: "amy", Recipient: "dora", Text: "x"}); outcomeOf(err) != "sender blocked" {
			t.Errorf("refused, and then a panic: %v", err)
		}
	})
}

// TestStatementPanics has the driver panic in the statements that store a whole batch. What they have done is unknown then, so they must
// not answer that they have stored nothing: the batch would be stored again.
func TestStatementPanics(t *testing.T) {
	t.Parallel()
	database := dbtest.Connect(t, dbtest.NewURL(t, db.Postgres), db.Options{Trace: func(statement string, _ []driver.NamedValue) {
		if strings.HasPrefix(statement, storeBatch[:100]) || statement == storeInGroups {
			panic("over an answer")
		}
	}})
	p := &postgres{db: database}
	draft := []*StoredMessage{{}}
	if stored, _, err := p.storeBatch(t.Context(), draft, nil); !db.IsLost(err) {
		t.Errorf("to users: %v, %v", stored, err)
	}
	if stored, _, err := p.storeInGroups(t.Context(), draft, nil, nil); !db.IsLost(err) {
		t.Errorf("to groups: %v, %v", stored, err)
	}
}

// TestFinal has a batch of which the fast path has stored a part fail afterwards: that part stays stored, and the rest fails.
func TestFinal(t *testing.T) {
	t.Parallel()
	w := &sends{stored: newMeter(), publish: func([]string, map[string]Stored) {}}
	stored, rest := newSend(Draft{Sender: "amy", Recipient: "bob"}), newSend(Draft{Sender: "amy", Recipient: "bob"})
	stored.message = &stored.draft.Message
	w.committed([]*send{stored, rest}, nil)
	stored.Fail(panics.Err)
	rest.Fail(panics.Err)
	if stored.message == nil || stored.err != nil || !errors.Is(rest.err, panics.Err) {
		t.Errorf("the stored one has %+v, the other %+v", stored.outcome, rest.outcome)
	}
}
