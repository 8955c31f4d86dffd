package searchindex

import (
	"context"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/mailbox"
	"github.com/message-service/message-service/internal/words"
)

// segments returns all segments, the oldest first.
func (m *model) segments(t *testing.T) (list []segment) {
	t.Helper()
	m.read(t, func(ctx context.Context, q sqlx.QueryerContext) (err error) {
		list, err = selectSegments(ctx, q, m.owner, mailbox.ID{}, mailbox.LastID, true, 1_000_000)
		return err
	})
	return list
}

// check compares all words and postings of the index with the model.
func (m *model) check(t *testing.T) {
	t.Helper()
	got, want := map[string]int{}, map[string]int{}
	segments := m.segments(t)
	m.read(t, func(ctx context.Context, q sqlx.QueryerContext) error {
		rows := 0
		for i := range segments {
			c, err := selectContent(ctx, q, m.owner, &segments[i])
			if err != nil {
				return err
			}
			rows += len(c.blocks) + (len(c.ids)+chunkIDs-1)/chunkIDs
			bytes := 0
			for _, b := range c.blocks {
				bytes += len(b.data)
				m.checkBlock(t, c.ids, b, got)
			}
			if bytes != segments[i].Bytes {
				t.Errorf("a segment has %d bytes, not %d", bytes, segments[i].Bytes)
			}
		}
		upTo, err := IndexedUpTo(ctx, q, m.owner)
		if n := len(segments); err != nil || n > 0 && segments[n-1].Last.Compare(upTo) > 0 {
			t.Errorf("indexed up to %v, which is less than the newest segment: %v", upTo, err)
		}
		var stored int
		if err := sqlx.GetContext(ctx, q, &stored, "SELECT count(*) FROM search_blocks"); err != nil || stored != rows {
			t.Errorf("%d rows are stored, not %d: %v", stored, rows, err)
		}
		return nil
	})
	for id, list := range m.documents {
		for _, word := range list {
			want[word+" "+id.String()]++
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("the index has %d postings, not %d", len(got), len(want))
	}
}

func (m *model) checkBlock(t *testing.T, ids []mailbox.ID, b block, got map[string]int) {
	t.Helper()
	r := blockReader{rest: b.data}
	for place, before := 0, ""; ; place++ {
		ok, err := r.next()
		if err != nil {
			t.Fatal(err)
		}
		if !ok {
			if place == 0 {
				t.Error("a block is empty")
			}
			if place > 1 && len(b.data) > 2*blockBytes {
				t.Errorf("a block has grown to %d bytes of %d words", len(b.data), place)
			}
			return
		}
		word := string(r.word)
		if place == 0 && word != b.first || place > 0 && word <= before {
			t.Errorf("%q is behind %q, and %q the first", word, before, b.first)
		}
		before = word
		ordinals, err := ordinalsOf(r.postings)
		if err != nil {
			t.Fatal(err)
		}
		for _, ordinal := range ordinals {
			got[word+" "+ids[ordinal].String()]++
		}
	}
}

// search searches for words at random.
func (m *model) search(t *testing.T) {
	t.Helper()
	query := Query{Owner: m.owner, High: mailbox.LastID, Upward: m.random.IntN(2) == 0}
	ids := slices.SortedFunc(maps.Keys(m.documents), mailbox.ID.Compare)
	if len(ids) > 0 && m.random.IntN(2) == 0 {
		query.Low, query.High = ids[m.random.IntN(len(ids))], ids[m.random.IntN(len(ids))]
	}
	for range 1 + m.random.IntN(3) {
		term := words.Term{Word: m.word()}
		if m.random.IntN(3) == 0 {
			term = words.Term{Word: term.Word[:1+m.random.IntN(len(term.Word))], Prefix: true}
		}
		query.Terms = append(query.Terms, term)
	}
	var want []mailbox.ID
	for _, id := range ids {
		if id.Compare(query.Low) >= 0 && id.Compare(query.High) < 0 && hasAll(m.documents[id], query.Terms) {
			want = append(want, id)
		}
	}
	if !query.Upward {
		slices.Reverse(want)
	}
	enough := 1 + m.random.IntN(300)
	want = want[:min(enough, len(want))]
	var got []mailbox.ID
	m.read(t, func(ctx context.Context, q sqlx.QueryerContext) error {
		for id, err := range Search(ctx, q, m.rebind, query) {
			if err != nil {
				return err
			}
			if got = append(got, id); len(got) == enough {
				break
			}
		}
		return nil
	})
	if !slices.Equal(got, want) {
		t.Errorf("%+v: found %d, not %d", query, len(got), len(want))
	}
}

func hasAll(list []string, terms []words.Term) bool {
	return !slices.ContainsFunc(terms, func(term words.Term) bool {
		return !slices.ContainsFunc(list, func(word string) bool {
			return word == term.Word || term.Prefix && strings.HasPrefix(word, term.Word)
		})
	})
}
