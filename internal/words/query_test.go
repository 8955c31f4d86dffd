package words_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/message-service/message-service/internal/words"
)

func TestParseCountsWordsBySpaces(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		q    string
		many bool
	}{
		{strings.Repeat("a ", 32), false},
		{strings.Repeat("a ", 33), true},
		{strings.Repeat("a.", 64), false}, // one phrase
		{strings.Repeat("可", 128), false},
		{strings.Repeat("a1", 64), false},
		{strings.Repeat("👍", 128), false},
		{strings.Repeat("ﷺ", 128), false}, // a code point that is four words
		{strings.Repeat(". ", 64), false},
	} {
		q, err := words.Parse(c.q)
		if c.many != (err != nil) {
			t.Errorf("Parse(%q): %v", c.q, err)
		}
		if q != nil && len(q.Terms()) > words.MaxWords {
			t.Errorf("%q has %d terms", c.q, len(q.Terms()))
		}
	}
}

func TestTerms(t *testing.T) {
	t.Parallel()
	for q, want := range map[string]string{
		"":              "",
		" -!":           "",
		"Lunch at noon": "lunch at noon*",
		"lun ":          "lun",
		"l":             "l",
		"a b@c":         "a b",
		"foo@ex":        "foo ex*",
		"user4":         "user",
		"noon noon":     "noon",
		"可":             "可*",
		"可 ":            "可*",
		"可能":            "可能*",
		"可能是 ":          "可能 能是",
		"食べ物":           "べ 食 物*", // in the text, each ends its run
		"可-能":           "可* 能*",
		"👍🏽":            "👍",
		"สวัส":          "วัส* สวั",
	} {
		var got []string
		for _, term := range parse(t, q).Terms() {
			if term.Prefix {
				term.Word += "*"
			}
			got = append(got, term.Word)
		}
		slices.Sort(got)
		wanted := strings.Fields(want)
		slices.Sort(wanted)
		if !slices.Equal(got, wanted) {
			t.Errorf("the terms of %q are %q, want %q", q, got, wanted)
		}
	}
}

func TestLongWordsAreCutAlike(t *testing.T) {
	t.Parallel()
	for _, letter := range []string{"a", "я", "क\u094D", "可\u0E38", "👍\u0E38"} {
		long := strings.Repeat(letter, 400)
		for _, word := range words.Of(long) {
			if len(word) > 255 {
				t.Errorf("a word of %d bytes", len(word))
			}
			if !matches(parse(t, word), long) {
				t.Errorf("%q does not find %q", word, letter)
			}
		}
		if !matches(parse(t, long+"x"), long) && letter == "a" {
			t.Error("what differs behind the cut does not match")
		}
	}
}
