package messaging

import (
	"context"
	"crypto/rand"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/roster"
)

// plannedChanges are what there is to do with a group of 10,000 members, in that order, and the most rows that a step of its
// statements may read.
var plannedChanges = []struct {
	name string
	rows float64
	run  func(ctx context.Context, s *Service) error
}{
	{"get", 1, func(ctx context.Context, s *Service) error {
		_, err := s.GetGroup(ctx, AsUser("fan-7"), "~crowd")
		return err
	}},
	{"list members", page, func(ctx context.Context, s *Service) error {
		_, err := s.ListMembers(ctx, AsUser("fan-7"), "~crowd", "fan-50", page-1)
		return err
	}},
	{"send", 11_000, sendToCrowd},
	{"send, with the members remembered", 11_000, sendToCrowd},
	{"add members", 11_000, func(ctx context.Context, s *Service) error {
		_, err := s.AddMembers(ctx, AsService, "~crowd", names("new", 100))
		return err
	}},
	{"set a role", 11_000, func(ctx context.Context, s *Service) error {
		_, err := s.SetRole(ctx, AsService, "~crowd", "fan-7", roster.Admin)
		return err
	}},
	{"remove a member", 11_000, func(ctx context.Context, s *Service) error {
		return s.RemoveMember(ctx, AsUser("fan-7"), "~crowd", "fan-9")
	}},
	{"update", 11_000, func(ctx context.Context, s *Service) error {
		_, err := s.UpdateGroup(ctx, AsUser("fan-7"), "~crowd", GroupEdit{Name: new("New")})
		return err
	}},
	{"list readers", 11_000, func(ctx context.Context, s *Service) error {
		_, err := s.ListReaders(ctx, AsUser("fan-7"), crowdMessage(ctx, s))
		return err
	}},
	{"delete", 11_000, func(ctx context.Context, s *Service) error {
		return s.DeleteGroup(ctx, AsService, "~crowd")
	}},
}

func sendToCrowd(ctx context.Context, s *Service) error {
	_, _, err := s.Send(ctx, AsUser("fan-7"), Draft{Sender: "fan-7", Recipient: "~crowd", Text: "x", IdempotencyKey: rand.Text()})
	return err
}

// crowdMessage is the newest message of the crowd.
func crowdMessage(ctx context.Context, s *Service) (id ID) {
	_ = s.db.Read(ctx, func(ctx context.Context, q sqlx.QueryerContext) error {
		return sqlx.GetContext(ctx, q, &id, "SELECT id FROM messages WHERE recipient = '~crowd' AND deleted = false ORDER BY id DESC LIMIT 1")
	})
	return id
}

// fillCrowd stores 20,000 more messages to the crowd, since of a group that has only a few times as many as one step
// erases Postgres may rather read all, and a read marker of each member.
func fillCrowd(t *testing.T, s *Service) {
	t.Helper()
	for range 20 {
		list := make([]*StoredMessage, 1000)
		for i, id := range s.mailboxes.NewIDs(len(list)) {
			list[i] = &StoredMessage{Message: Message{ID: id, Sender: "fan-1", Recipient: "~crowd", Text: "x"}}
		}
		must(t, s.db.Add(t.Context(), time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
			_, err := InsertMessages(ctx, tx, list)
			return err
		}))
	}
	must(t, s.db.Add(t.Context(), time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, `
			INSERT INTO read_markers (owner, peer, message_id, changed)
			SELECT user_id, group_id, since, since FROM members WHERE group_id = '~crowd' AND user_id <> 'hub'`); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, map[db.Engine]string{db.Postgres: "ANALYZE messages, read_markers", db.SQLite: "SELECT 1"}[s.db.Engine])
		return err
	}))
}

// checkMemberPlans checks the plan of every statement by which a group of 10,000 members is read and changed: an index
// serves each, though in a table that is not much larger Postgres may rather scan.
func checkMemberPlans(t *testing.T, database *db.DB, recorder *recorder) {
	t.Helper()
	s := New(database, Options{GroupMaxMembers: 20_000})
	defer s.Close(t.Context()) //nolint:errcheck // nothing waits
	fillCrowd(t, s)
	for _, change := range plannedChanges {
		checkChange(t, recorder, s, change.name, change.rows, func() { must(t, change.run(t.Context(), s)) })
	}
	for more := true; more && !t.Failed(); {
		checkChange(t, recorder, s, "erase", groupEraseBatch, func() { more = team{t, s, "~crowd"}.step(nil) })
	}
}

// checkChange checks the plan of every statement that run runs.
func checkChange(t *testing.T, recorder *recorder, s *Service, name string, rows float64, run func()) {
	t.Helper()
	start := time.Now()
	statements := recorder.during(run)
	t.Log(name, time.Since(start))
	explainer := &explainer{t: t, database: s.db, rows: rows, once: 11_000, sorts: true}
	for _, statement := range statements {
		explainer.explainChange(statement)
	}
}

// explainChange checks the plan of a statement that has run, by running it again. Where Postgres could scan a table it
// must be able not to.
func (e *explainer) explainChange(statement recorded) {
	e.t.Helper()
	switch verb, _, _ := strings.Cut(statement.text, " "); verb {
	case "SELECT", "INSERT", "UPDATE", "DELETE", "WITH":
	default: // of a transaction
		return
	}
	if e.database.Engine == db.SQLite && strings.Contains(statement.text, "NOT erased") {
		return // it scans an index of what is to be found
	}
	explained := errors.New("explained")
	err := e.database.Tx(e.t.Context(), time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
		if e.database.Engine == db.Postgres {
			if _, err := tx.ExecContext(ctx, "SET LOCAL enable_seqscan = off"); err != nil {
				return err
			}
		}
		e.QueryerContext = tx
		if err := e.check(db.WithCustomPlan(ctx), statement.text, statement.args); err != nil {
			return err
		}
		return explained
	})
	if !errors.Is(err, explained) {
		e.t.Fatal(statement.text, err)
	}
}
