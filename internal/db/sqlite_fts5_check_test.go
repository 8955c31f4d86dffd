package db_test

import (
	"context"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
)

// check compares searches of every word with the model.
func (s *indexed) check(t *testing.T) {
	t.Helper()
	s.exec(t, "INSERT INTO message_words (message_words) VALUES ('integrity-check')")
	having := map[string][]uint64{}
	for number, words := range s.texts {
		for _, word := range words {
			having[word] = append(having[word], number)
		}
	}
	for word := range s.erased {
		having[word] = append(having[word], nil...) // none, if it is in no other message
	}
	for word, want := range having {
		if s.random.IntN(8) > 0 {
			continue
		}
		slices.Sort(want)
		for _, order := range []string{"ASC", "DESC"} {
			if found := s.search(t, word, order); !slices.Equal(found, want) {
				t.Errorf("%q finds %v %s, want %v", word, found, order, want)
			}
		}
	}
}

// search returns the numbers of the messages that a word finds, sorted. Each search is a read
// of its own, since one may last 2 seconds only.
func (s *indexed) search(t *testing.T, word, order string) (found []uint64) {
	t.Helper()
	var got [][]byte
	err := s.db.Read(t.Context(), func(ctx context.Context, q sqlx.QueryerContext) error {
		got = nil
		return sqlx.SelectContext(ctx, q, &got, `
			SELECT id FROM message_words JOIN message_numbers ON number = message_words.rowid
			WHERE message_words MATCH $1 ORDER BY message_words.rowid `+order, `"`+word+`"`)
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range got {
		found = append(found, binary.BigEndian.Uint64(id[8:]))
	}
	slices.Sort(found)
	return found
}

// checkWords checks that the index has only words of live messages.
func (s *indexed) checkWords(t *testing.T) {
	t.Helper()
	words := []string{"s" + hex.EncodeToString([]byte("bob"))}
	for i := range 7 {
		words = append(words, "r"+hex.EncodeToString(fmt.Append(nil, "user", i)))
	}
	for _, text := range s.texts {
		words = append(words, text...)
	}
	checkIndex(t, s.db, "message_words", words)
}

// checkIndex checks that each separator is a prefix of a live word, and that each word on a page is
// live.
func checkIndex(t *testing.T, database *db.DB, index string, words []string) {
	t.Helper()
	slices.Sort(words)
	var borders, pages [][]byte
	err := database.Read(t.Context(), func(ctx context.Context, q sqlx.QueryerContext) error {
		if err := sqlx.SelectContext(ctx, q, &borders, "SELECT term FROM "+index+"_idx"); err != nil {
			return err
		}
		return sqlx.SelectContext(ctx, q, &pages, "SELECT block FROM "+index+"_data WHERE id > 10 AND id >> 31 & 63 = 0")
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, border := range borders {
		beginning := strings.TrimPrefix(string(border), "0")
		i, _ := slices.BinarySearch(words, beginning)
		if i == len(words) || !strings.HasPrefix(words[i], beginning) {
			t.Errorf("the separator %q is a prefix of no live word", beginning)
		}
	}
	for _, page := range pages {
		for _, word := range wordsOn(page) {
			if _, live := slices.BinarySearch(words, word); !live {
				t.Errorf("%q is on a page, but in no message", word)
			}
		}
	}
}

// wordsOn returns the words on a leaf page of FTS5. The footer has the offset of each word, relative
// to the one before. A word is stored without the prefix that it shares with the one before, but with
// that prefix's length.
func wordsOn(page []byte) (words []string) {
	offset := 0
	var word []byte
	number := func(from *[]byte) int {
		value, size := 0, 1
		for ; (*from)[size-1] >= 0x80; size++ {
			value = value<<7 | int((*from)[size-1]&0x7f)
		}
		value = value<<7 | int((*from)[size-1])
		*from = (*from)[size:]
		return value
	}
	for index := page[binary.BigEndian.Uint16(page[2:]):]; len(index) > 0; words = append(words, string(word[1:])) {
		offset += number(&index)
		at := page[offset:]
		if word != nil {
			word = word[:number(&at)]
		}
		rest := number(&at)
		word = append(word, at[:rest]...)
	}
	return words
}
