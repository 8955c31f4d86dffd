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

// check compares the index with what is to be found.
func (s *indexed) check(t *testing.T) {
	t.Helper()
	s.exec(t, "INSERT INTO message_words (message_words) VALUES ('integrity-check')")
	having := map[string][]uint64{}
	for number, words := range s.texts {
		for _, word := range words {
			having[word] = append(having[word], number)
		}
	}
	err := s.db.Read(t.Context(), func(ctx context.Context, q sqlx.QueryerContext) error {
		for word := range s.erased {
			having[word] = append(having[word], nil...) // none, if it is in no other message
		}
		for word, want := range having {
			if s.random.IntN(8) > 0 {
				continue
			}
			slices.Sort(want)
			for _, order := range []string{"ASC", "DESC"} {
				var got [][]byte
				err := sqlx.SelectContext(ctx, q, &got, `
					SELECT id FROM message_words JOIN message_numbers ON number = message_words.rowid
					WHERE message_words MATCH $1 ORDER BY message_words.rowid `+order, `"`+word+`"`)
				if err != nil {
					return err
				}
				found := make([]uint64, len(got))
				for i, id := range got {
					found[i] = binary.BigEndian.Uint64(id[8:])
				}
				if slices.Sort(found); !slices.Equal(found, want) {
					t.Errorf("%q finds %v %s, want %v", word, found, order, want)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// checkWords wants nothing in the index but words that are live.
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

// checkIndex wants each border to be the beginning of a word that is live, and each word on
// a page to be one.
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
			t.Errorf("the border %q is of no word", beginning)
		}
	}
	for _, page := range pages {
		for _, word := range wordsOn(page) {
			if _, live := slices.BinarySearch(words, word); !live {
				t.Errorf("%q is on a page", word)
			}
		}
	}
}

// wordsOn returns the words on a leaf page of FTS5's. Behind what is on the page it has
// where each word begins, counted from the one before. A word lacks as many bytes as it
// says that it has in common with the one before.
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
