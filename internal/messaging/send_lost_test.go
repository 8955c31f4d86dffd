package messaging

import (
	"bytes"
	"context"
	"database/sql/driver"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/mailbox"
)

// losing is an engine that loses the answer of each fast path, but for its beginning: to a statement that has run, or to one that runs later.
// Postgres sends rows before it commits, so that the beginning proves nothing.
type losing struct {
	engine

	runs  bool
	tried []*StoredMessage                            // copies of those that it was given
	later func() (stored []ID, ahead bool, err error) // runs the statement of the last sends to groups
}

func (e *losing) fastPath() fastPath { return e }

func (e *losing) storeBatch(ctx context.Context, list []*StoredMessage, followed []string) (stored []ID, ends map[string]Position, err error) {
	for _, m := range list {
		e.tried = append(e.tried, new(*m))
	}
	if e.runs {
		if stored, ends, err = e.engine.fastPath().storeBatch(ctx, list, followed); err != nil || len(stored) != len(list) {
			return nil, nil, fmt.Errorf("%d of %d were stored: %w", len(stored), len(list), err)
		}
	}
	return []ID{list[0].ID}, ends, fmt.Errorf("%w: %w", db.ErrUnavailable, driver.ErrBadConn)
}

func (e *losing) storeInGroups(ctx context.Context, list []*StoredMessage, versions map[string]int64, stamps []mailbox.Stamp) ([]ID, bool, error) {
	for _, m := range list {
		e.tried = append(e.tried, new(*m))
	}
	e.later = func() ([]ID, bool, error) { return e.engine.fastPath().storeInGroups(ctx, e.tried, versions, stamps) }
	if e.runs {
		if stored, _, err := e.later(); err != nil || len(stored) != len(list) {
			return nil, false, fmt.Errorf("%d of %d were stored: %w", len(stored), len(list), err)
		}
	}
	return []ID{list[0].ID}, true, fmt.Errorf("%w: %w", db.ErrUnavailable, driver.ErrBadConn)
}

// TestAnswerLost loses the answers to the statements of sends, with and without keys: each send succeeds, and
// is stored once, whether its statement had run or runs afterwards. What is handed over of it is what the transaction that was
// answered has stored.
func TestAnswerLost(t *testing.T) {
	t.Parallel()
	for _, runs := range []bool{true, false} {
		t.Run(fmt.Sprintf("runs=%t", runs), func(t *testing.T) {
			t.Parallel()
			var published map[string]Stored
			var log bytes.Buffer
			service := New(dbtest.Open(t, dbtest.NewURL(t, db.Postgres)), Options{})
			defer service.Close(t.Context()) //nolint:errcheck // nothing waits
			e := &losing{engine: service.engine, runs: runs}
			w := &sends{
				engine: e, mailboxes: service.mailboxes, stored: newMeter(),
				followed: func(users []string) []string { return users },
				publish:  func(_ []string, stored map[string]Stored) { published = stored },
				log:      slog.New(slog.NewTextHandler(&log, nil)),
			}
			batch := []*send{
				newSend(Draft{Sender: "ann", Recipient: "bob", Text: "0"}),
				newSend(Draft{Sender: "ann", Recipient: "bob", Text: "1", IdempotencyKey: "key"}),
				newSend(Draft{Sender: "ann", Recipient: "ann", Text: "2"}),
			}
			failed, err := w.write(batch)
			if err != nil || len(failed) > 0 {
				t.Fatalf("%d failed: %v", len(failed), err)
			}
			if !strings.Contains(log.String(), driver.ErrBadConn.Error()) {
				t.Errorf("logged %q", &log)
			}
			if !runs { // they run now
				if stored, _, err := e.engine.fastPath().storeBatch(t.Context(), e.tried, nil); err != nil || len(stored) > 0 {
					t.Errorf("%d were stored afterwards: %v", len(stored), err)
				}
			}
			var ids []ID
			read(t, service, func(ctx context.Context, q sqlx.QueryerContext) error {
				return sqlx.SelectContext(ctx, q, &ids, "SELECT id FROM messages ORDER BY text")
			})
			for i, s := range batch {
				if s.err != nil || s.message == nil || s.replayed || len(ids) != len(batch) || s.message.ID != ids[i] {
					t.Errorf("send %d has the outcome %+v, and there are %v", i, s.outcome, ids)
				}
				handed := slices.ContainsFunc(published["ann"].Changes, func(c Change) bool { return s.message != nil && c.Cursor == s.message.ID })
				if handed == runs {
					t.Errorf("send %d is handed over: %t", i, handed)
				}
				if runs != slices.Contains(ids, e.tried[i].ID) {
					t.Errorf("send %d has the id that was tried: %t", i, !runs)
				}
			}
		})
	}
}

// TestAnswerLostInGroups is [TestAnswerLost] for sends to groups, and what was stored is published once.
func TestAnswerLostInGroups(t *testing.T) {
	t.Parallel()
	for _, runs := range []bool{true, false} {
		t.Run(fmt.Sprintf("runs=%t", runs), func(t *testing.T) {
			t.Parallel()
			f := fastGroups(t, db.Postgres)
			before := f.messages()
			f.published = nil
			e := &losing{engine: f.engine, runs: runs}
			f.sends.engine = e
			batch := []*send{f.draft("amy", "~near", ""), f.draft("amy", "~near", "key"), f.draft("bob", "~team", "")}
			if failed, err := f.sends.writeToGroups(batch); err != nil || len(failed) > 0 {
				t.Fatalf("%d failed: %v", len(failed), err)
			}
			if !runs { // they run now
				if stored, _, err := e.later(); err != nil || len(stored) > 0 {
					t.Errorf("%d were stored afterwards: %v", len(stored), err)
				}
			}
			ids := f.messages()[len(before):]
			for i, s := range batch {
				if s.err != nil || s.message == nil || s.replayed || len(ids) != len(batch) || !slices.Contains(ids, s.message.ID) {
					t.Errorf("send %d has the outcome %+v, and there are %v", i, s.outcome, ids)
				}
				if runs != slices.Contains(ids, e.tried[i].ID) {
					t.Errorf("send %d has the id that was tried: %t", i, !runs)
				}
			}
			if want := "~near ~near ~team"; len(f.published) != 1 || strings.Join(f.published[0], " ") != want {
				t.Errorf("published %v, want %s", f.published, want)
			}
		})
	}
}

// messages are the ids of all messages.
func (f *inGroups) messages() (ids []ID) {
	f.t.Helper()
	read(f.t, f.Service, func(ctx context.Context, q sqlx.QueryerContext) error {
		return sqlx.SelectContext(ctx, q, &ids, "SELECT id FROM messages ORDER BY id")
	})
	return ids
}
