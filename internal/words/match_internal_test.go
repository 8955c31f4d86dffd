package words

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

// TestMatchFindsWhatASimpleLoopFinds compares the matcher with a loop over phrases and places. Few
// letters and long queries make phrases that overlap, and more units than a machine word has bits.
func TestMatchFindsWhatASimpleLoopFinds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		texts := rapid.StringOfN(rapid.SampledFrom([]rune("可可可能能かab12 -")), 0, 300, -1)
		text := texts.Draw(t, "text")
		letters := []rune(text)
		start := rapid.IntRange(0, len(letters)).Draw(t, "start")
		part := string(letters[start:min(len(letters), start+rapid.IntRange(1, 128).Draw(t, "length"))])
		if rapid.Bool().Draw(t, "together") {
			part = strings.NewReplacer(" ", "", "-", "").Replace(part)
		}
		q, err := Parse(part + rapid.SampledFrom([]string{"", " ", " 可能", "b", "-a"}).Draw(t, "more"))
		if err != nil {
			t.Skip(err) // too many words: rapid draws another query
		}
		if _, ok := q.Match(text); ok != simpleMatch(q, text) {
			t.Fatalf("Match says %v of a query of %d units", ok, len(q.units))
		}
	})
}

// units returns those of a text.
func units(text string) (all []unit) {
	var s scanner
	for s.reset(text); s.next(); {
		all = append(all, unit{word: string(s.word), class: s.class, joined: s.joined})
	}
	return all
}

func simpleMatch(q *Query, text string) bool {
	all := units(text)
	for start := 0; start < len(q.units); {
		n := 1
		for start+n < len(q.units) && !q.units[start+n].first {
			n++
		}
		same := func(i, at int) bool {
			u := q.units[start+i]
			prefix := q.prefix && start+i == len(q.units)-1 && strings.HasPrefix(all[at+i].word, u.word)
			return (u.word == all[at+i].word || prefix) && (!u.joined || all[at+i].joined)
		}
		if !slices.ContainsFunc(places(len(all)-n+1), func(at int) bool {
			return !slices.ContainsFunc(places(n), func(i int) bool { return !same(i, at) })
		}) {
			return false
		}
		start += n
	}
	return len(q.units) > 0
}

func places(n int) []int {
	all := make([]int, max(n, 0))
	for i := range all {
		all[i] = i
	}
	return all
}

// TestOfHasUnitsAndPairs compares the set of words with a map.
func TestOfHasUnitsAndPairs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		some := rapid.OneOf(rapid.SampledFrom([]rune("可能是食べるaé1 - ")), rapid.RuneFrom(nil, unicode.Han, unicode.Latin))
		text := rapid.StringOfN(some, 0, 600, -1).Draw(t, "text")
		want := map[string]bool{}
		all := units(text)
		for i, u := range all {
			if i+1 < len(all) && all[i+1].joined {
				want[u.word+all[i+1].word] = true
			} else {
				want[u.word] = true
			}
		}
		got := Of(text)
		slices.Sort(got)
		if !slices.Equal(got, slices.Sorted(maps.Keys(want))) {
			t.Fatalf("the words of %q are %q", text, got)
		}
	})
}

func TestCompose(t *testing.T) {
	t.Parallel()
	marks := slices.Concat(codePoints(0x1161, 0x11FF), []rune{0x0301, 0x0306, 0x0308, 0x3099, 0x309A})
	for _, before := range slices.Concat(codePoints(0x0400, 0x04FF), codePoints(0x1100, 0x11FF), codePoints(0x3040, 0x30FF), codePoints(0xAC00, 0xAD00), codePoints(0xD790, 0xD7FF)) {
		for _, r := range marks {
			want := []rune(norm.NFC.String(string([]rune{before, r})))
			if len(want) > 1 {
				want[0] = 0
			}
			if got := compose(before, r); got != want[0] {
				t.Fatalf("%+q and %+q are %+q, not %+q", before, r, got, want[0])
			}
		}
	}
}

// TestDecomposedTextsAreFast notices memory that is taken for each character of a text.
func TestDecomposedTextsAreFast(t *testing.T) {
	q, err := Parse("regular")
	if err != nil {
		t.Fatal(err)
	}
	for _, character := range []string{"\u1112\u1161\u11AB", "か\u3099", "и\u0306"} {
		text := strings.Repeat(character, 1000)
		if n := testing.AllocsPerRun(10, func() { q.Match(text) }); n > 100 {
			t.Errorf("to match 1,000 times %+q allocates %v times", character, n)
		}
	}
}
