package searchindex

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/mailbox"
)

// TestModel changes an index at random, until it has been merged at least once, and compares what it finds, and every
// word that it has, with a model. It logs the seed.
func TestModel(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		m := newModel(t, engine)
		merged, steps := 0, dbtest.Size(60, 200, 600)
		for i := 0; i < steps || merged == 0 && i < 10*steps; i++ {
			switch n := m.random.IntN(20); {
			case n < 9:
				m.add(t)
			case n < 13:
				m.change(t)
			case n == 13 && i%3 == 0:
				m.takeBack(t)
			case n == 14 && i%3 == 0:
				m.outdate(t)
				m.change(t)
				m.renew(t)
			default:
				if m.merge(t) {
					merged++
				}
			}
			if i%8 == 0 {
				m.check(t)
			}
			m.search(t)
			m.search(t)
			if t.Failed() {
				return
			}
		}
		m.check(t)
		if merged == 0 {
			t.Error("nothing was merged")
		}
	})
}

// TestShortDocumentsBecomeLong edits documents that had one block together.
func TestShortDocumentsBecomeLong(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		m := newModel(t, engine)
		list := make([]Document, 300)
		for i := range list {
			list[i] = Document{ID: mailbox.ID(uuid.Must(uuid.NewV7())), Words: []string{"a"}}
		}
		m.tx(t, func(ctx context.Context, tx *sqlx.Tx) error { return Append(ctx, tx, m.owner, list) })
		var changes []Change
		for i, d := range list {
			change := Change{ID: d.ID, Old: d.Words, New: []string{"a"}}
			for n := range 100 {
				change.New = append(change.New, fmt.Sprintf("w%d", (i+n)*7919%10_000))
			}
			m.documents[d.ID] = change.New
			changes = append(changes, change)
		}
		for some := range slices.Chunk(changes, 10) {
			m.replace(t, some)
		}
		m.check(t)
		for range 20 {
			m.search(t)
		}
	})
}

// TestFrequentWord erases documents whose words are beside one with more postings than a block usually has.
func TestFrequentWord(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		m := newModel(t, engine)
		list := make([]Document, 5000)
		for i := range list {
			list[i] = Document{ID: mailbox.ID(uuid.Must(uuid.NewV7())), Words: []string{fmt.Sprintf("a%d", i%1000), "frequent"}}
			m.documents[list[i].ID] = list[i].Words
		}
		m.tx(t, func(ctx context.Context, tx *sqlx.Tx) error { return Append(ctx, tx, m.owner, list) })
		delete(m.documents, list[7].ID)
		m.tx(t, func(ctx context.Context, tx *sqlx.Tx) error {
			return Replace(ctx, tx, m.owner, []Change{{ID: list[7].ID, Old: list[7].Words}})
		})
		m.check(t)
	})
}

// TestDelete deletes one of two indexes.
func TestDelete(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		m := newModel(t, engine)
		m.addShort(t, 2, 200)
		deleted := m.owner
		m.owner = "carol"
		clear(m.documents)
		m.tx(t, func(ctx context.Context, tx *sqlx.Tx) error { return Create(ctx, tx, m.owner) })
		m.addShort(t, 1, 1)
		m.tx(t, func(ctx context.Context, tx *sqlx.Tx) error { return Delete(ctx, tx, deleted) })
		m.check(t)
		for _, table := range []string{"search_indexes", "search_segments", "search_blocks"} {
			var left int
			m.read(t, func(ctx context.Context, q sqlx.QueryerContext) error {
				return sqlx.GetContext(ctx, q, &left, "SELECT count(*) FROM "+table+" WHERE owner = $1", deleted)
			})
			if left > 0 {
				t.Errorf("%d rows of %s are left", left, table)
			}
		}
	})
}

// model is an index and what it should have.
type model struct {
	db        *db.DB
	engine    db.Engine
	random    *rand.Rand
	owner     string
	documents map[mailbox.ID][]string
	erased    []mailbox.ID
}

func newModel(t *testing.T, engine db.Engine) *model {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	m := &model{
		db: dbtest.Open(t, dbtest.NewURL(t, engine)), engine: engine, random: rand.New(rand.NewPCG(seed, 0)), owner: "bob",
		documents: map[mailbox.ID][]string{},
	}
	m.tx(t, func(ctx context.Context, tx *sqlx.Tx) error { return Create(ctx, tx, m.owner) })
	return m
}

func (m *model) tx(t *testing.T, fn func(context.Context, *sqlx.Tx) error) {
	t.Helper()
	if err := m.db.Tx(t.Context(), time.Minute, fn); err != nil {
		t.Fatal(err)
	}
}

func (m *model) rebind(statement string) string {
	if m.engine == db.Postgres {
		return sqlx.Rebind(sqlx.DOLLAR, statement)
	}
	return statement
}

// word is mostly one of a few, sometimes a rare or a long one.
func (m *model) word() string {
	switch m.random.IntN(10) {
	case 0:
		return fmt.Sprintf("rare%d", m.random.IntN(1_000_000))
	case 1:
		return strings.Repeat(string(rune('a'+m.random.IntN(3))), 1+m.random.IntN(255))
	case 2:
		return string(rune(0x4e00+m.random.IntN(50))) + string(rune(0x4e00+m.random.IntN(50)))
	default:
		return fmt.Sprintf("w%d", int(float64(m.random.IntN(60))*m.random.Float64()))
	}
}

func (m *model) words() []string {
	list := make([]string, 1+m.random.IntN(1<<m.random.IntN(7)))
	for i := range list {
		list[i] = m.word()
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func (m *model) add(t *testing.T) {
	t.Helper()
	list := make([]Document, 1+m.random.IntN(1<<m.random.IntN(9)))
	for i := range list {
		list[i] = Document{ID: mailbox.ID(uuid.Must(uuid.NewV7())), Words: m.words()}
		m.documents[list[i].ID] = list[i].Words
	}
	m.tx(t, func(ctx context.Context, tx *sqlx.Tx) error { return Append(ctx, tx, m.owner, list) })
}

// change edits or erases some documents, also those that were erased before.
func (m *model) change(t *testing.T) {
	t.Helper()
	var changes []Change
	live := slices.SortedFunc(maps.Keys(m.documents), mailbox.ID.Compare)
	m.random.Shuffle(len(live), func(i, j int) { live[i], live[j] = live[j], live[i] })
	for _, id := range live[:min(len(live), m.random.IntN(1<<m.random.IntN(7)))] {
		c := Change{ID: id, Old: append([]string{}, m.documents[id]...)}
		if m.random.IntN(3) == 0 {
			c.Old = nil
		}
		if m.random.IntN(2) == 0 {
			c.New = m.words()
			m.documents[id] = c.New
		} else {
			delete(m.documents, id)
			m.erased = append(m.erased, id)
		}
		changes = append(changes, c)
	}
	if len(m.erased) > 0 && m.random.IntN(4) == 0 {
		changes = append(changes, Change{ID: m.erased[m.random.IntN(len(m.erased))]})
	}
	m.replace(t, changes)
}

func (m *model) replace(t *testing.T, changes []Change) {
	t.Helper()
	m.tx(t, func(ctx context.Context, tx *sqlx.Tx) error {
		if _, err := Lock(ctx, tx, []string{m.owner, "stranger"}); err != nil {
			return err
		}
		return Replace(ctx, tx, m.owner, changes)
	})
}

// merge merges segments, and reports whether there were many.
func (m *model) merge(t *testing.T) bool {
	t.Helper()
	merged, err := Merge(t.Context(), m.db, m.owner)
	if err != nil {
		t.Fatal(err)
	}
	return merged
}

// takeBack takes the newest segment off.
func (m *model) takeBack(t *testing.T) {
	t.Helper()
	m.tx(t, func(ctx context.Context, tx *sqlx.Tx) error {
		_, err := TakeBack(ctx, tx, m.owner)
		return err
	})
	var end mailbox.ID
	m.read(t, func(ctx context.Context, q sqlx.QueryerContext) (err error) {
		end, err = IndexedUpTo(ctx, q, m.owner)
		return err
	})
	maps.DeleteFunc(m.documents, func(id mailbox.ID, _ []string) bool { return id.Compare(end) > 0 })
	m.erased = slices.DeleteFunc(m.erased, func(id mailbox.ID) bool { return id.Compare(end) > 0 })
}

// outdate pretends that an older version of the tokeniser has made some segments.
func (m *model) outdate(t *testing.T) {
	t.Helper()
	m.tx(t, func(ctx context.Context, tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE search_segments SET version = -1 WHERE bytes % 2 = 0")
		return err
	})
}

// renew makes outdated segments anew.
func (m *model) renew(t *testing.T) {
	t.Helper()
	for more := true; more; {
		var err error
		more, err = Renew(t.Context(), m.db, m.owner, func(_ context.Context, _ sqlx.QueryerContext, ids []mailbox.ID) (list []Document, err error) {
			for _, id := range ids {
				if words, ok := m.documents[id]; ok {
					list = append(list, Document{id, words})
				}
			}
			return list, nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

func (m *model) read(t *testing.T, fn func(context.Context, sqlx.QueryerContext) error) {
	t.Helper()
	if err := m.db.Read(t.Context(), fn); err != nil {
		t.Fatal(err)
	}
}
