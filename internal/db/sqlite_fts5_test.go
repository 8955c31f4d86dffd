package db_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// indexed is a store of messages with a full-text index, and a model of it.
type indexed struct {
	db     *db.DB
	random *rand.Rand
	next   uint64
	texts  map[uint64][]string // the words of each live message
	erased map[string]bool     // words of earlier messages
}

func newIndexed(t *testing.T) *indexed {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	s := &indexed{
		db: dbtest.Open(t, dbtest.NewURL(t, db.SQLite)), random: rand.New(rand.NewPCG(seed, 0)),
		texts: map[uint64][]string{}, erased: map[string]bool{},
	}
	s.exec(t, "INSERT INTO message_words (message_words, rank) VALUES ('pgsz', $1)", 64<<s.random.IntN(3))
	return s
}

// TestErasedWordsLeaveTheIndex stores, edits and deletes messages at random, while segments of the
// index are merged. After each edit and deletion the index must have no word that is in no message:
// neither on a page, even of a segment that is being merged, nor as a separator of pages. After each
// round SQLite's own check of the index must pass, and searches must find exactly the messages with
// a word. Small pages make many of them. The seed is logged.
func TestErasedWordsLeaveTheIndex(t *testing.T) {
	t.Parallel()
	s := newIndexed(t)
	for round := range dbtest.Size(6, 40, 120) {
		for range 1 + s.random.IntN(12) {
			switch n := s.random.IntN(14); {
			case len(s.texts) < 20 || n < 5:
				s.add(t, 1+s.random.IntN(1<<s.random.IntN(7)))
			case n < 9:
				s.edit(t)
			case n < 12: // as after a send: a few pages of a merge
				s.exec(t, "INSERT INTO message_words (message_words, rank) VALUES ('merge', $1)", 1+s.random.IntN(4))
			case n == 12: // a merge of all segments
				s.exec(t, "INSERT INTO message_words (message_words, rank) VALUES ('merge', $1)", -1-s.random.IntN(4))
			default:
				s.delete(t, 1+s.random.IntN(1<<s.random.IntN(6)))
			}
		}
		if s.check(t); t.Failed() {
			t.Fatalf("in round %d, with %d messages", round, len(s.texts))
		}
	}
	for len(s.texts) > 0 {
		s.delete(t, 500)
	}
	s.check(t)
}

// TestErasedDuringMerge erases messages during a merge of segments whose words are all greater than
// those of the segment before: the merge finishes one after the other.
func TestErasedDuringMerge(t *testing.T) {
	t.Parallel()
	s := newIndexed(t)
	s.exec(t, "INSERT INTO message_words (message_words, rank) VALUES ('automerge', 0)")
	for range dbtest.Size(1, 5, 50) {
		for range 40 {
			s.add(t, 1+s.random.IntN(16))
		}
		for len(s.texts) > 0 && !t.Failed() {
			s.exec(t, "INSERT INTO message_words (message_words, rank) VALUES ('merge', $1)", 1+s.random.IntN(4))
			s.delete(t, 1+s.random.IntN(4))
		}
	}
	s.check(t)
}

// TestErasedWordsLeaveEveryIndex makes an index with another name, which must be found by itself.
func TestErasedWordsLeaveEveryIndex(t *testing.T) {
	t.Parallel()
	s := newIndexed(t)
	s.exec(t, "CREATE VIRTUAL TABLE notes USING fts5 (note, content = '', columnsize = 0)")
	s.exec(t, "INSERT INTO notes (notes, rank) VALUES ('secure-delete', 1)")
	s.exec(t, "INSERT INTO notes (notes, rank) VALUES ('pgsz', 64)")
	words := make([]string, 100)
	for i := range words {
		words[i] = fmt.Sprintf("word%06d", i+1)
		s.exec(t, "INSERT INTO notes (rowid, note) VALUES ($1, $2)", i+1, words[i])
	}
	s.exec(t, "INSERT INTO notes (notes, rank) VALUES ('merge', 2)")
	for len(words) > 1 && !t.Failed() {
		i := s.random.IntN(len(words))
		word := words[i]
		s.run(t, s.db.Tx, func(ctx context.Context, tx *sqlx.Tx) error {
			_, err := tx.ExecContext(ctx, "INSERT INTO notes (notes, rowid, note) VALUES ('delete', $1, $2)", strings.TrimLeft(word, "word0"), word)
			return err
		})
		words = slices.Delete(words, i, i+1)
		checkIndex(t, s.db, "notes", words)
	}
}

// words returns the words of a text: some common ones, and some unique ones, of which some differ
// only in their last characters. With late, the unique words sort after all words of other texts,
// so that a merge finishes the segments of those first.
func (s *indexed) words(late bool) []string {
	words := []string{"the", fmt.Sprintf("common%d", s.random.IntN(20))}
	for range s.random.IntN(8) {
		s.next++
		kind := s.random.IntN(3)
		if late {
			kind = 3
		}
		switch kind {
		case 0:
			words = append(words, fmt.Sprintf("number%06d", s.next))
		case 1:
			words = append(words, fmt.Sprintf("%s%06d", strings.Repeat("longer", s.random.IntN(12)), s.next))
		case 2:
			words = append(words, fmt.Sprintf("%c%06d", 'a'+s.random.IntN(26), s.next))
		default:
			words = append(words, fmt.Sprintf("слово%06d", s.next))
		}
	}
	return words
}

func idOf(number uint64) []byte { return binary.BigEndian.AppendUint64(make([]byte, 8), number) }

func (s *indexed) exec(t *testing.T, statement string, args ...any) {
	t.Helper()
	s.run(t, s.db.Add, func(ctx context.Context, tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, statement, args...)
		return err
	})
}

type transaction = func(context.Context, time.Duration, func(context.Context, *sqlx.Tx) error) error

func (*indexed) run(t *testing.T, transaction transaction, fn func(context.Context, *sqlx.Tx) error) {
	t.Helper()
	if err := transaction(t.Context(), time.Minute, fn); err != nil {
		t.Fatal(err)
	}
}

// add stores that many messages.
func (s *indexed) add(t *testing.T, messages int) {
	late := s.random.IntN(2) == 0
	s.run(t, s.db.Add, func(ctx context.Context, tx *sqlx.Tx) error {
		for range messages {
			s.next++
			number := s.next
			s.texts[number] = s.words(late)
			_, err := tx.ExecContext(ctx, "INSERT INTO messages (recipient, id, sender, text) VALUES ($1, $2, 'bob', $3)",
				fmt.Sprint("user", number%7), idOf(number), strings.Join(s.texts[number], " "))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *indexed) pick() uint64 {
	numbers := make([]uint64, 0, len(s.texts))
	for number := range s.texts {
		numbers = append(numbers, number)
	}
	slices.Sort(numbers)
	return numbers[s.random.IntN(len(numbers))]
}

func (s *indexed) edit(t *testing.T) {
	number := s.pick()
	s.erase(number)
	s.texts[number] = s.words(false)
	s.run(t, s.db.Tx, func(ctx context.Context, tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE messages SET text = $1 WHERE recipient = $2 AND deleted = false AND id = $3",
			strings.Join(s.texts[number], " "), fmt.Sprint("user", number%7), idOf(number))
		return err
	})
	s.checkWords(t)
}

func (s *indexed) erase(number uint64) {
	for _, word := range s.texts[number] {
		s.erased[word] = true
	}
	delete(s.texts, number)
}

// delete deletes some messages, in one transaction.
func (s *indexed) delete(t *testing.T, messages int) {
	s.run(t, s.db.Tx, func(ctx context.Context, tx *sqlx.Tx) error {
		for range min(messages, len(s.texts)) {
			number := s.pick()
			s.erase(number)
			_, err := tx.ExecContext(ctx, "UPDATE messages SET text = '', deleted = true WHERE recipient = $1 AND deleted = false AND id = $2",
				fmt.Sprint("user", number%7), idOf(number))
			if err != nil {
				return err
			}
		}
		return nil
	})
	s.checkWords(t)
}
