package messaging

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// strangersUses are what carl may ask for with an id of a message between others.
var strangersUses = map[string]func(ctx context.Context, s *Service, id ID) (any, error){
	"get": func(ctx context.Context, s *Service, id ID) (any, error) { return s.Get(ctx, AsUser("carl"), id) },
	"edit": func(ctx context.Context, s *Service, id ID) (any, error) {
		return s.Edit(ctx, AsUser("carl"), id, Edit{Text: new("y"), Metadata: new("")})
	},
	"delete": func(ctx context.Context, s *Service, id ID) (any, error) {
		return nil, s.Delete(ctx, AsUser("carl"), id)
	},
	"reply to its sender": func(ctx context.Context, s *Service, id ID) (any, error) {
		m, _, err := s.Send(ctx, AsUser("carl"), Draft{Sender: "carl", Recipient: "hub", Text: "x", ReplyTo: &id})
		return m, err
	},
	"reply to oneself": func(ctx context.Context, s *Service, id ID) (any, error) {
		m, _, err := s.Send(ctx, AsUser("carl"), Draft{Sender: "carl", Recipient: "carl", Text: "x", ReplyTo: &id, IdempotencyKey: id.String()})
		return m, err
	},
	"set a read marker": func(ctx context.Context, s *Service, id ID) (any, error) {
		return s.SetReadMarker(ctx, AsUser("carl"), "carl", "hub", id)
	},
	"list received before": func(ctx context.Context, s *Service, id ID) (any, error) {
		return s.List(ctx, AsUser("carl"), Query{Recipient: "carl", Window: Window{Before: &id, Limit: 10}})
	},
	"list sent after": func(ctx context.Context, s *Service, id ID) (any, error) {
		return s.List(ctx, AsUser("carl"), Query{Sender: "carl", Window: Window{After: &id, Limit: 10}})
	},
	"list with its recipient": func(ctx context.Context, s *Service, id ID) (any, error) {
		return s.List(ctx, AsUser("carl"), Query{Sender: "carl", Recipient: "hub", Window: Window{After: &id, Limit: 10}})
	},
	"search before": func(ctx context.Context, s *Service, id ID) (any, error) {
		return s.List(ctx, AsUser("carl"), Query{Recipient: "carl", Sender: "hub", Words: "message", Window: Window{Before: &id, Limit: 10}})
	},
	"list conversations before": func(ctx context.Context, s *Service, id ID) (any, error) {
		return s.ListConversations(ctx, AsUser("carl"), "carl", InboxQuery{Before: &id, Limit: 10})
	},
	"list a conversation after": func(ctx context.Context, s *Service, id ID) (any, error) {
		return s.ListConversation(ctx, AsUser("carl"), "carl", "hub", Query{Window: Window{After: &id, Limit: 10}})
	},
	"search a conversation before": func(ctx context.Context, s *Service, id ID) (any, error) {
		return s.ListConversation(ctx, AsUser("carl"), "carl", "hub", Query{Words: "message", Highlight: true, Window: Window{Before: &id, Limit: 10}})
	},
	"list changes after": func(ctx context.Context, s *Service, id ID) (any, error) {
		return s.ListChanges(ctx, AsUser("carl"), "carl", &id, 10, PageMaxBytes)
	},
}

// TestStrangerRunsTheSameStatements uses ids of messages between others, in a large store, and next to each
// of them an id of none. Answers, statements and plans are the same, so that neither tells which is which.
func TestStrangerRunsTheSameStatements(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		service, recorder := newRecorded(t, engine)
		fillPlanStore(t, service.db, dbtest.Size(2_000, 20_000, 20_000))
		for name, query := range map[string]string{
			"the oldest":  "SELECT id FROM messages ORDER BY id LIMIT 1",
			"the newest":  "SELECT id FROM messages WHERE deleted = false AND changed IS NULL ORDER BY id DESC LIMIT 1",
			"one edited":  "SELECT id FROM messages WHERE deleted = false AND changed IS NOT NULL ORDER BY id DESC LIMIT 1",
			"one deleted": "SELECT id FROM messages WHERE deleted = true ORDER BY id DESC LIMIT 1",
		} {
			var exists ID
			read(t, service, func(ctx context.Context, q sqlx.QueryerContext) error {
				return sqlx.GetContext(ctx, q, &exists, query)
			})
			none := exists
			none[len(none)-1] ^= 1
			none[len(none)-2] ^= 0x80
			for use, run := range strangersUses {
				var answers [2]string
				var statements [2][]recorded
				for i, id := range []ID{exists, none} {
					statements[i] = recorder.during(func() {
						answer, err := run(t.Context(), service, id)
						answers[i] = fmt.Sprintf("%+v, %v", answer, err)
					})
				}
				if answers[0] != answers[1] {
					t.Errorf("%s of %s: %s, but of no message %s", use, name, answers[0], answers[1])
				}
				a, b := describe(t, service.db, statements[0]), describe(t, service.db, statements[1])
				if !slices.Equal(a, b) || len(a) == 0 {
					t.Errorf("%s of %s: %q, but of no message %q", use, name, a, b)
				}
			}
		}
	})
}

// describe writes what statements do: each with the number of its parameters, and its plan.
func describe(t *testing.T, database *db.DB, statements []recorded) []string {
	t.Helper()
	list := make([]string, len(statements))
	for i, s := range statements {
		list[i] = fmt.Sprintf("%s with %d parameters", s.text, len(s.args))
		if len(s.args) == 0 { // it begins or ends a transaction
			continue
		}
		err := database.Read(t.Context(), func(ctx context.Context, q sqlx.QueryerContext) error {
			plan, err := planOf[database.Engine](ctx, q, s)
			list[i] += plan
			return err
		})
		if err != nil {
			t.Fatalf("%s: %v", s.text, err)
		}
	}
	return list
}

// planOf writes the plan of a statement, without the values of its parameters and what it costs.
var planOf = map[db.Engine]func(ctx context.Context, q sqlx.QueryerContext, s recorded) (string, error){
	db.Postgres: func(ctx context.Context, q sqlx.QueryerContext, s recorded) (string, error) {
		var text string
		if err := sqlx.GetContext(ctx, q, &text, "EXPLAIN (FORMAT JSON) "+s.text, s.args...); err != nil {
			return "", err
		}
		type node struct {
			NodeType  string `json:"Node Type"`
			IndexName string `json:"Index Name"`
			Plans     []node
		}
		var nodes []struct{ Plan node }
		err := json.Unmarshal([]byte(text), &nodes)
		return fmt.Sprintf("%+v", nodes), err
	},
	db.SQLite: func(ctx context.Context, q sqlx.QueryerContext, s recorded) (string, error) {
		var steps []struct {
			ID, Parent, Notused int
			Detail              string
		}
		err := sqlx.SelectContext(ctx, q, &steps, "EXPLAIN QUERY PLAN "+s.text, s.args...)
		return fmt.Sprintf("%+v", steps), err
	},
}

// TestStrangerWaitsForNoLock reads and changes a message as a third user, and changes it as its recipient,
// while the mailboxes of its users are locked.
func TestStrangerWaitsForNoLock(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		service, _ := newRecorded(t, engine)
		m, _, err := service.Send(t.Context(), AsService, Draft{Sender: "alice", Recipient: "bob", Text: "x"})
		if err != nil {
			t.Fatal(err)
		}
		locked, release, done := make(chan struct{}), make(chan struct{}), make(chan error)
		go func() {
			done <- service.mailboxes.Change(t.Context(), []string{"alice", "bob"}, func(context.Context, *sqlx.Tx, ID) error {
				close(locked)
				<-release
				return nil
			})
		}()
		<-locked
		for _, name := range []string{"get", "edit", "delete"} {
			for who, want := range map[string]string{"bob": useCases[name].want[2], "carl": "not found"} {
				if outcome := outcomeOf(useCases[name].run(t.Context(), service, caller(who), m.ID)); outcome != want {
					t.Errorf("%s as %s: %s, want %s", name, who, outcome, want)
				}
			}
		}
		if _, err := service.SetReadMarker(t.Context(), AsUser("carl"), "carl", "alice", m.ID); outcomeOf(err) != "invalid argument messageId" {
			t.Errorf("set a read marker: %v", err)
		}
		close(release)
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
