package searchindex

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/mailbox"
	"github.com/message-service/message-service/internal/words"
)

// TestMergeErased expects that nothing is left of erased documents in a merged segment, not even their ids,
// or else the index of messages that are deleted after a day would grow for ever.
func TestMergeErased(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		m := newModel(t, engine)
		for range mergeWidth {
			m.add(t)
		}
		var kept []string
		var erased []Change
		for id := range m.documents {
			if len(kept) == 0 {
				kept = append(kept, id.String())
				continue
			}
			erased = append(erased, Change{ID: id})
			delete(m.documents, id)
		}
		m.replace(t, erased)
		m.merge(t)
		segments := m.segments(t)
		if len(segments) != 1 || segments[0].First.String() != kept[0] || segments[0].First != segments[0].Last {
			t.Fatalf("%d segments, the first of %v to %v, not one of %v", len(segments), segments[0].First, segments[0].Last, kept)
		}
		m.check(t)

		for range mergeWidth - 1 {
			m.add(t)
		}
		erased = nil
		for id := range m.documents {
			erased = append(erased, Change{ID: id})
			delete(m.documents, id)
		}
		m.replace(t, erased)
		m.merge(t)
		if n := len(m.segments(t)); n > 0 {
			t.Errorf("%d segments are left of erased documents", n)
		}
		m.add(t)
		m.check(t)
	})
}

// TestMergeOfChanged changes segments after they were read to be merged: by a transaction that commits before
// they are exchanged, or that holds the lock of the index, or by another merge. They must stay as they are.
func TestMergeOfChanged(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		m := newModel(t, engine)
		m.addShort(t, mergeWidth, 10)
		var old []segment
		var merged content
		read := func() {
			m.read(t, func(ctx context.Context, q sqlx.QueryerContext) (err error) {
				old, merged, err = readToMerge(ctx, q, m.owner)
				return err
			})
		}
		exchanged := func() error {
			return m.db.Tx(t.Context(), time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
				return exchange(ctx, tx, m.owner, old, merged)
			})
		}
		expectStale := func(err error) {
			t.Helper()
			if !errors.Is(err, errStale) {
				t.Errorf("exchanged: %v", err)
			}
			m.check(t)
		}

		read()
		m.lengthen(t, old[3])
		expectStale(exchanged())

		read()
		change := Change{ID: old[5].First}
		delete(m.documents, change.ID)
		done := make(chan error, 1)
		m.tx(t, func(ctx context.Context, tx *sqlx.Tx) error {
			if _, err := Lock(ctx, tx, []string{m.owner}); err != nil {
				return err
			}
			go func() { done <- exchanged() }()
			if err := m.untilLocked(ctx, tx, done); err != nil {
				return err
			}
			return Replace(ctx, tx, m.owner, []Change{change})
		})
		expectStale(<-done)

		read()
		m.merge(t)
		expectStale(exchanged())
	})
}

// untilLocked waits until another transaction of Postgres waits for a lock of this one, or is done. SQLite has one writer.
func (m *model) untilLocked(ctx context.Context, tx *sqlx.Tx, done chan error) error {
	for waiting := 0; waiting == 0 && len(done) == 0 && m.engine == db.Postgres; {
		err := tx.GetContext(ctx, &waiting, "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))")
		if err != nil {
			return err
		}
	}
	return nil
}

// TestToMerge expects that a mailbox of any history has few segments.
func TestToMerge(t *testing.T) {
	segments := func(bytes ...int) (list []segment) {
		for _, n := range bytes {
			list = append(list, segment{Bytes: n, Version: words.Version})
		}
		return list
	}
	const small, middle, large = 1000, smallBytes, largeBytes
	for name, c := range map[string]struct {
		newestFirst []segment
		want        int
	}{
		"none":               {nil, 0},
		"few small ones":     {segments(small, small, small, small, small, small, small), 0},
		"small ones":         {segments(small, small, small, small, small, small, small, small, middle), 8},
		"behind a large one": {segments(large, small, small, small, small, small, small, small, small), 0},
		"middle ones":        {segments(small, middle, middle, middle, middle, middle, middle, middle, middle, large, small), 9},
		"few middle ones":    {segments(small, small, small, small, small, small, small, middle, middle, middle, middle, middle, middle, middle), 0},
		"mixed ones": {segments(
			small, small, small, small, small, small, small, middle, small, small, small, small, small, small, small, middle, large), 16},
	} {
		if got := toMerge(c.newestFirst); got != c.want {
			t.Errorf("%s: %d, want %d", name, got, c.want)
		}
	}
	outdated := segments(small, small, small, small, small, small, small, small, small)
	outdated[3].Version--
	if got := toMerge(outdated); got != 0 {
		t.Errorf("outdated: %d", got)
	}
}

// TestOutdated expects that a search does not pass over what an older version of the tokeniser has made,
// and that an older server leaves alone what a newer one has made.
func TestOutdated(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		m := newModel(t, engine)
		m.add(t)
		search := func(ctx context.Context, q sqlx.QueryerContext) error {
			for _, err := range Search(ctx, q, m.rebind, Query{Owner: m.owner, Terms: []words.Term{{Word: "x"}}, High: mailbox.LastID}) {
				if err != nil {
					return err
				}
			}
			return nil
		}
		for _, c := range []struct {
			version int
			renewed bool
		}{{words.Version + 1, false}, {words.Version - 1, true}} {
			m.tx(t, func(ctx context.Context, tx *sqlx.Tx) error {
				_, err := tx.ExecContext(ctx, "UPDATE search_segments SET version = $1", c.version)
				return err
			})
			if err := m.db.Read(t.Context(), search); errors.Is(err, ErrOutdated) != c.renewed {
				t.Errorf("version %d: search: %v", c.version, err)
			}
			m.renew(t)
			if got := m.segments(t)[0].Version; (got == words.Version) != c.renewed {
				t.Errorf("version %d is now %d", c.version, got)
			}
			m.read(t, search)
		}
	})
}
