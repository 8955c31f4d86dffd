package words

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// MaxWords is how many words a query may have, as spaces separate them: the contract says it by a pattern.
const MaxWords = 32

// Query is what somebody looks for: phrases, all of which must be in a text, in any order. A phrase is
// what has no space in it; its units must follow one another in the text.
type Query struct {
	units   []unit
	prefix  bool // the last unit may be the beginning of one
	matcher matcher
}

type unit struct {
	word   string
	class  class
	first  bool // of its phrase
	joined bool
}

// Parse reads a query. It fails if that has more than [MaxWords].
func Parse(q string) (*Query, error) {
	var s scanner
	s.reset(q)
	query := new(Query)
	words, letters := 0, 0
	for s.next() {
		u := unit{word: string(s.word), class: s.class, first: s.before == space || len(query.units) == 0, joined: s.joined}
		query.units = append(query.units, u)
		if u.first {
			words, letters = words+1, 0
		}
		letters += utf8.RuneCountInString(u.word)
	}
	if words > MaxWords {
		return nil, fmt.Errorf("more than %d words", MaxWords)
	}
	query.prefix = s.before != space && (letters > 1 || s.class >= firstPair)
	query.prepare()
	return query, nil
}

// Term is a word that a text must have for a query to match it; with Prefix, one that begins with Word.
type Term struct {
	Word   string
	Prefix bool
}

// Terms returns at most 32 terms, which every text that the query matches has in its words. There are
// none if the query has no word, and then it finds nothing.
func (q *Query) Terms() []Term {
	var terms []Term
	for i, u := range q.units {
		last := i == len(q.units)-1
		follows := !last && !q.units[i+1].first
		switch {
		case u.class < firstPair:
			t := Term{u.word, last && q.prefix}
			if !t.Prefix || utf8.RuneCountInString(t.Word) > 1 { // most texts have a word that begins with a letter
				terms = append(terms, t)
			}
		case follows && q.units[i+1].joined:
			pair := pairOf(u.word, q.units[i+1].word)
			terms = append(terms, Term{pair, i+1 == len(q.units)-1 && q.prefix})
		case !u.joined:
			// It ends a run in the text, if what follows is of another script.
			terms = append(terms, Term{u.word, !follows || q.units[i+1].class == u.class})
		}
	}
	slices.SortFunc(terms, func(a, b Term) int {
		return cmp.Or(strings.Compare(a.Word, b.Word), cmp.Compare(b.narrows(), a.narrows()))
	})
	terms = slices.CompactFunc(terms, func(a, b Term) bool { return a.Word == b.Word })
	slices.SortStableFunc(terms, func(a, b Term) int { return cmp.Compare(b.narrows(), a.narrows()) })
	return terms[:min(len(terms), MaxWords)]
}

// narrows returns the more, the fewer texts have the term, at a guess.
func (t Term) narrows() int {
	if t.Prefix {
		return len(t.Word)
	}
	return len(t.Word) + maxBytes
}

func pairOf(a, b string) string {
	pair := []byte(a + b)
	if len(pair) > maxBytes {
		pair = pair[:cut(pair)]
	}
	return string(pair)
}
