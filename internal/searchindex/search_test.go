package searchindex

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/mailbox"
	"github.com/message-service/message-service/internal/words"
)

// TestSearchWhileChanged merges and edits segments while they are searched. The search must go on where it
// was, and find each document once.
func TestSearchWhileChanged(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		m := newModel(t, engine)
		for name, change := range map[string]func(){
			"merged": func() {
				if !m.merge(t) {
					t.Error("nothing was merged")
				}
			},
			"blocks cut": func() {
				segments := m.segments(t)
				m.lengthen(t, segments[len(segments)-2])
				m.lengthen(t, segments[len(segments)-3])
			},
		} {
			for _, upward := range []bool{false, true} {
				m.addShort(t, mergeWidth, 600)
				want := slices.SortedFunc(maps.Keys(m.documents), mailbox.ID.Compare)
				if !upward {
					slices.Reverse(want)
				}
				query := Query{Owner: m.owner, Terms: []words.Term{{Word: "x"}, {Word: "y"}}, High: mailbox.LastID, Upward: upward}
				var got []mailbox.ID
				m.read(t, func(ctx context.Context, q sqlx.QueryerContext) error {
					for id, err := range Search(ctx, q, m.rebind, query) {
						if err != nil {
							return err
						}
						if got = append(got, id); len(got) == 1 {
							change()
						}
					}
					return nil
				})
				if !slices.Equal(got, want) {
					t.Errorf("%s, upward %t: found %d, not %d", name, upward, len(got), len(want))
				}
			}
		}
	})
}

// addShort adds segments of documents with the same two words.
func (m *model) addShort(t *testing.T, segments, documents int) {
	t.Helper()
	for range segments {
		list := make([]Document, documents)
		for i := range list {
			list[i] = Document{ID: mailbox.ID(uuid.Must(uuid.NewV7())), Words: []string{"x", "y"}}
			m.documents[list[i].ID] = list[i].Words
		}
		m.tx(t, func(ctx context.Context, tx *sqlx.Tx) error { return Append(ctx, tx, m.owner, list) })
	}
}

// lengthen edits the first document of a segment, so that its block is cut.
func (m *model) lengthen(t *testing.T, s segment) {
	t.Helper()
	change := Change{ID: s.First, Old: m.documents[s.First], New: []string{"x", "y"}}
	for i := range 500 {
		change.New = append(change.New, fmt.Sprintf("word%d", i))
	}
	m.documents[s.First] = change.New
	m.replace(t, []Change{change})
}

// TestSearchManySegments searches more segments than are read at a time, for a word that only the oldest
// has, for one that none has, and when something of the index is missing, which must end.
func TestSearchManySegments(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		m := newModel(t, engine)
		const segments = firstGroup + 4*firstGroup + 2*maxGroup
		m.addShort(t, segments, 1)
		oldest := m.segments(t)[0]
		m.lengthen(t, oldest)
		for word, want := range map[string][]mailbox.ID{"word1": {oldest.First}, "z": nil} {
			if got, err := m.searchCounted(t, word, 20); err != nil || !slices.Equal(got, want) {
				t.Errorf("%s: found %v, not %v: %v", word, got, want, err)
			}
		}
		m.tx(t, func(ctx context.Context, tx *sqlx.Tx) error {
			_, err := tx.ExecContext(ctx, "DELETE FROM search_blocks WHERE segment = $1", oldest.ID)
			return err
		})
		if _, err := m.searchCounted(t, "word1", 20+2*maxStale); !errors.Is(err, errStale) {
			t.Errorf("damaged: %v", err)
		}
	})
}

// TestSearchManyBeginnings searches for a beginning of more words than are read, and for another word.
func TestSearchManyBeginnings(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		m := newModel(t, engine)
		list := make([]Document, 200)
		for i := range list {
			list[i] = Document{ID: mailbox.ID(uuid.Must(uuid.NewV7())), Words: []string{"z" + strconv.Itoa(i)}}
			for range 50 {
				list[i].Words = append(list[i].Words, fmt.Sprintf("p%d", m.random.IntN(1_000_000_000)))
			}
		}
		m.tx(t, func(ctx context.Context, tx *sqlx.Tx) error { return Append(ctx, tx, m.owner, list) })
		d, err := decodeDirectory(m.segments(t)[0].Directory)
		if _, _, ok := placesOf(&d, words.Term{Word: "p", Prefix: true}); ok || err != nil {
			t.Fatalf("few blocks have words that begin with p: %v", err)
		}
		var got []mailbox.ID
		m.read(t, func(ctx context.Context, q sqlx.QueryerContext) error {
			terms := []words.Term{{Word: "p", Prefix: true}, {Word: "z7"}}
			for id, err := range Search(ctx, q, m.rebind, Query{Owner: m.owner, Terms: terms, High: mailbox.LastID}) {
				if err != nil {
					return err
				}
				got = append(got, id)
			}
			return nil
		})
		if want := []mailbox.ID{list[7].ID}; !slices.Equal(got, want) {
			t.Errorf("found %v, not %v", got, want)
		}
	})
}

// searchCounted searches for a word, with a limited number of queries.
func (m *model) searchCounted(t *testing.T, word string, queries int) (got []mailbox.ID, err error) {
	t.Helper()
	err = m.db.Read(t.Context(), func(ctx context.Context, q sqlx.QueryerContext) error {
		limited := &limitedQueries{q, queries}
		for id, err := range Search(ctx, limited, m.rebind, Query{Owner: m.owner, Terms: []words.Term{{Word: word}}, High: mailbox.LastID}) {
			if err != nil {
				return err
			}
			got = append(got, id)
		}
		return nil
	})
	return got, err
}

// limitedQueries runs a limited number of queries, and fails from there on.
type limitedQueries struct {
	sqlx.QueryerContext

	left int
}

func (l *limitedQueries) QueryxContext(ctx context.Context, query string, args ...any) (*sqlx.Rows, error) {
	if l.left--; l.left < 0 {
		return nil, errors.New("too many queries")
	}
	return l.QueryerContext.QueryxContext(ctx, query, args...)
}
