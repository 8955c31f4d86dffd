package words_test

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/message-service/message-service/internal/words"
)

// forms are the ways in which a text may be written without becoming another.
var forms = map[string]func(string) string{
	"NFC":           norm.NFC.String,
	"NFD":           norm.NFD.String,
	"NFKC":          norm.NFKC.String,
	"NFKD":          norm.NFKD.String,
	"upper case":    func(s string) string { return cases.Upper(language.Und).String(s) }, // a Caser is for one goroutine
	"lower case":    func(s string) string { return cases.Lower(language.Und).String(s) },
	"title case":    func(s string) string { return cases.Title(language.Und).String(s) },
	"folded":        func(s string) string { return cases.Fold().String(s) },
	"Turkish upper": func(s string) string { return cases.Upper(language.Turkish).String(s) },
	"Turkish lower": func(s string) string { return cases.Lower(language.Turkish).String(s) },
	"simple upper":  strings.ToUpper,
	"simple lower":  strings.ToLower,
}

// tricky has what rules differ for: several letters of each kind of script, their marks, code points
// that fold to several or to none, symbols, separators.
const tricky = "aAbZßẞiıİIſŉǰΐΰﬁŁøœé\u0301\u0307\u0308\u0327\u034F" +
	"σςΣΑά" + "иИйЙеёіїкќ\u0306" + "աև" + "აᲐ" + "Ꭰꭰ" +
	"اأىيكکة\u064B\u0651ـﷺ" + "שׁבּ\u05B8" + "ހާ" +
	"कमिलेँं़्ক়োড়" + "கொ" + "ཀཱིྀ\u0F73\u0F77་" +
	"可能是中々〇﨑" + "カガﾊﾟがか\u3099ーべ食" + "한국어학ᄒ\u1161\u11AB\u3131ㅠㄳ" +
	"สวัสดีำเ" + "ຄຳນ້" + "ខ្មែរ" + "မြန်မာဦ" +
	"019٣४๔²½①𝟘" + "👍🏽👩\u200D💻❤\uFE0F🇩🇪🇫→\U0001FAE9" + "\u00AD\u200B\u200C\uFEFF" +
	"@.-_/'’ʼ+#´" + "    \n\t\u00A0\u3000" + "\x00\uFFFD\uE000"

func texts() *rapid.Generator[string] {
	some := rapid.SampledFrom([]rune(tricky))
	// The iota below ᾳ becomes a letter when folded, so in front of a mark of Tibetan, say, which would
	// have come first, case mapping and normal forms do not commute.
	other := rapid.Rune().Filter(func(r rune) bool { return !strings.ContainsRune(norm.NFD.String(string(r)), '\u0345') })
	return rapid.Map(rapid.SliceOfN(rapid.OneOf(some, some, some, some, some, other), 0, 40),
		func(r []rune) string { return string(r) })
}

func parse(t interface{ Fatalf(string, ...any) }, q string) *words.Query {
	query, err := words.Parse(q)
	if err != nil {
		t.Fatalf("Parse(%+q): %v", q, err)
	}
	return query
}

func TestEveryWordFindsItsTextInAnyForm(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := texts().Draw(t, "text")
		for _, word := range words.Of(text) {
			if word == "" || len(word) > 255 || !utf8.ValidString(word) || strings.ContainsFunc(word, unicode.IsControl) {
				t.Fatalf("%+q has the word %+q", text, word)
			}
			for name, form := range forms {
				if _, ok := parse(t, form(word)).Match(text); !ok {
					t.Fatalf("%+q in %s does not find %+q", word, name, text)
				}
				if _, ok := parse(t, word).Match(form(text)); !ok {
					t.Fatalf("%+q does not find %+q in %s", word, text, name)
				}
			}
		}
	})
}

func TestFormsOfATextHaveTheSameWords(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := texts().Draw(t, "text")
		want := sorted(words.Of(text))
		for name, form := range forms {
			if got := sorted(words.Of(form(text))); !slices.Equal(got, want) {
				t.Fatalf("%+q has the words %+q, in %s %+q", text, want, name, got)
			}
		}
	})
}

func TestBeginningsFindTheText(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := texts().Draw(t, "text")
		for _, word := range words.Of(text) {
			letters := []rune(word)
			for n := 2; n <= len(letters); n++ {
				if _, ok := parse(t, string(letters[:n])).Match(text); !ok {
					t.Fatalf("%+q does not find %+q", string(letters[:n]), text)
				}
			}
		}
	})
}

// queries draws a query that often matches: parts of the text, changed a little.
func queries(t *rapid.T, text string) string {
	var q strings.Builder
	letters := []rune(text)
	for range rapid.IntRange(1, 3).Draw(t, "parts") {
		start := rapid.IntRange(0, len(letters)).Draw(t, "start")
		q.WriteString(string(letters[start:rapid.IntRange(start, len(letters)).Draw(t, "end")]))
		q.WriteString(rapid.SampledFrom([]string{"", " ", "-", "a", "能"}).Draw(t, "then"))
	}
	return q.String()
}

func TestTermsAreWordsOfWhatMatches(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := texts().Draw(t, "text")
		q, err := words.Parse(queries(t, text))
		if err != nil {
			t.Skip(err)
		}
		spans, ok := q.Match(text)
		if !ok {
			return
		}
		terms, has := q.Terms(), words.Of(text)
		if len(terms) == 0 || len(terms) > words.MaxWords {
			t.Fatalf("%d terms", len(terms))
		}
		for _, term := range terms {
			if !slices.ContainsFunc(has, func(word string) bool {
				return word == term.Word || term.Prefix && strings.HasPrefix(word, term.Word)
			}) {
				t.Fatalf("%+q has no %+v", text, term)
			}
		}
		checkSpans(t, text, spans)
	})
}

func checkSpans(t *rapid.T, text string, spans []words.Span) {
	if len(spans) == 0 {
		t.Fatalf("a match without spans")
	}
	end := -1
	for _, s := range spans {
		if s.Start <= end || s.End <= s.Start || s.End > utf8.RuneCountInString(text) {
			t.Fatalf("%v in a text of %d code points", spans, utf8.RuneCountInString(text))
		}
		end = s.End
	}
}

func TestWhatASpanCoversMatches(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := texts().Draw(t, "text")
		phrase := strings.Join(strings.Fields(queries(t, text)), "-")
		q := parse(t, phrase)
		spans, _ := q.Match(text)
		for _, s := range spans {
			if part := string([]rune(text)[s.Start:s.End]); !matches(q, part) {
				t.Fatalf("%+q is said to be in %+q at %v: %+q", phrase, text, s, part)
			}
		}
	})
}

func matches(q *words.Query, text string) bool {
	_, ok := q.Match(text)
	return ok
}

func sorted(words []string) []string {
	slices.Sort(words)
	return words
}

// codePoints yields all that have a meaning, but of ideographs and Hangul, which are alike, one in 97.
func codePoints(yield func(rune) bool) {
	for r := rune(0); r <= unicode.MaxRune; r++ {
		alike := unicode.In(r, unicode.Unified_Ideograph, unicode.Hangul, unicode.Tangut) && r%97 != 0
		if unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Z, unicode.Cc, unicode.Cf) && !alike && !yield(r) {
			return
		}
	}
}

// TestFoldingEveryCodePoint looks at each by itself, between letters, and after letters of scripts whose
// marks are kept.
func TestFoldingEveryCodePoint(t *testing.T) {
	t.Parallel()
	for r := range codePoints {
		text := strings.ReplaceAll("r a1rb कrक иr иar йr がr", "r", string(r))
		want := sorted(words.Of(text))
		for name, form := range forms {
			if got := sorted(words.Of(form(text))); !slices.Equal(got, want) {
				t.Errorf("%U: %+q has the words %+q, in %s %+q", r, text, want, name, got)
			}
		}
		for _, word := range want {
			if again := words.Of(word); !slices.Contains(again, word) {
				t.Errorf("%U: the word %+q of %+q has the words %+q", r, word, text, again)
			}
		}
	}
}
