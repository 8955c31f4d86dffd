package words_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/message-service/message-service/internal/words"
)

func TestOf(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"":                      {},
		"Hello, hello world!":   {"hello", "world"},
		"foo@example.com":       {"com", "example", "foo"},
		"还有可能是定期检修":             {"修", "可能", "定期", "是定", "有可", "期检", "检修", "能是", "还有"},
		"user42":                {"42", "user"},
		"Cafe\u0301 CAFÉ":       {"cafe"},
		"İstanbul ISPARTA ılık": {"ilik", "isparta", "istanbul"},
		"Straße":                {"strasse"},
		"食べる":                   {"べる", "る", "食"},
		"สวัสดี":                {"ดี", "วัส", "สดี", "สวั"},
		"👍🏽 🇩🇪🇫🇷 ❤️":            {"❤", "🇩🇪", "🇫🇷", "👍"},
	} {
		got := words.Of(text)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("Of(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestMatch(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		text, query string
		spans       []words.Span
	}{
		{"Lunch at noon", "lun", []words.Span{{0, 5}}},
		{"Lunch at noon", "noon lun", []words.Span{{0, 5}, {9, 13}}},
		{"Lunch at noon", "lun ", nil},
		{"还有可能是定期检修", "可能", []words.Span{{2, 4}}},
		{"还有可能是定期检修", "能可", nil},
		{"还有可 能", "可能", nil},
		{"还有可能", "可 能", []words.Span{{2, 4}}},
		{"可能可能, 可能", "可能", []words.Span{{0, 4}, {6, 8}}},
		{"write to foo@example.com/x", "example.com", []words.Span{{13, 24}}},
		{"write to foo@example.com/x", "com.example", nil},
		{"un cafe\u0301!", "café", []words.Span{{3, 8}}},
		{"मेल", "मिल", nil},
		{strings.Repeat("可能", 100), strings.Repeat("可能", 64), []words.Span{{0, 200}}},
		{strings.Repeat("可能", 100), strings.Repeat("可能", 63) + "是", nil},
		{strings.Repeat("a ", 100), strings.Repeat("a-", 64), []words.Span{{0, 199}}},
		{"Cafe\u0301\u200D, 👍🏽!", "cafe 👍", []words.Span{{0, 6}, {8, 10}}},
		{"½ ㎏ ﷺ", "2 kg الله", []words.Span{{0, 1}, {2, 3}, {4, 5}}},
		{"- \u0F72\u094D", "\u094D\u0F72", []words.Span{{2, 4}}}, // vowels without a consonant, in another order
		{"user42", "user 42", []words.Span{{0, 6}}},
		{"!", "!", nil},
	} {
		q, err := words.Parse(c.query)
		if err != nil {
			t.Fatal(err)
		}
		if spans, ok := q.Match(c.text); ok != (c.spans != nil) || !slices.Equal(spans, c.spans) {
			t.Errorf("%q in %q: %v, want %v", c.query, c.text, spans, c.spans)
		}
	}
}
