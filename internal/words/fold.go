package words

import (
	"slices"
	"strings"
	"sync/atomic"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// folded is what becomes of a code point: another one, in NFKD and case-folded, or several or none.
type folded struct {
	r     rune // for class several: an index of page.several
	class class
	order uint8 // of marks: see orderOf
}

// page describes 256 code points. To look up one there takes nanoseconds, to fold it a microsecond. The
// pages are made when a text first needs them.
type page struct {
	folded  [256]folded
	several [][]folded
}

var pages [(unicode.MaxRune + 1) / 256]atomic.Pointer[page]

func pageOf(r rune) *page {
	p := pages[r/256].Load()
	if p == nil {
		p = newPage(r / 256 * 256)
		pages[r/256].Store(p)
	}
	return p
}

func newPage(first rune) *page {
	p := new(page)
	for i := range p.folded {
		switch all := fold(first + rune(i)); len(all) {
		case 0:
			p.folded[i] = folded{class: ignored}
		case 1:
			p.folded[i] = all[0]
		default:
			p.folded[i] = folded{r: rune(len(p.several)), class: several, order: all[0].order}
			p.several = append(p.several, all)
		}
	}
	return p
}

// fold returns what becomes of a code point by itself: NFKC_Casefold to a fixed point, but decomposed,
// without the marks that carry no meaning, and with the letters that stand for others replaced.
func fold(r rune) []folded {
	switch {
	case isIgnorable(r):
		return nil
	case unicode.Is(unicode.White_Space, r):
		return []folded{{class: space}}
	case unicode.Is(unicode.Unified_Ideograph, r), r >= 0xAC00 && r <= 0xD7A3: // Hangul stays composed
		return []folded{{r: r, class: classOf(r)}}
	}
	var all []folded
	var base rune
	for _, r := range caseFold(r) {
		f := folded{r: r, class: classOf(r), order: orderOf(r)}
		if f.class == accent && base != 0 {
			f.class = classOfAccent(base, r)
		}
		if f.class == ignored {
			continue
		}
		if f.class == digit {
			f.r = '0' + digitValue(r)
		}
		if n := len(all); n > 0 {
			if both := compose(all[n-1].r, f.r); both != 0 {
				all[n-1].r = both
				continue
			}
		}
		if f.order == 0 {
			base = f.r
		}
		all = append(all, f)
	}
	return all
}

// caseFold decomposes and folds until nothing changes.
func caseFold(r rune) string {
	s := norm.NFKD.String(string(r))
	for {
		var next strings.Builder
		for _, r := range s {
			if same, ok := sameLetters[r]; ok {
				next.WriteString(same)
			} else {
				next.WriteString(norm.NFKD.String(foldCase(r)))
			}
		}
		if next.String() == s {
			return s
		}
		s = next.String()
	}
}

func foldCase(r rune) string {
	if unicode.Is(unicode.Cherokee, r) { // folds to upper case; cases.Fold swaps the cases
		return string(unicode.ToUpper(r))
	}
	return cases.Fold().String(string(r))
}

// orderOf returns where among the marks of a character one comes: those that make another character come
// first, others as Unicode orders them.
func orderOf(r rune) uint8 {
	switch ccc := norm.NFKD.PropertiesString(string(r)).CCC(); {
	case ccc == 0:
		return 0
	case isAccent(r):
		return 1
	case isVoicing(r):
		return 2
	default:
		return ccc + 2 // at most 242
	}
}

// compose returns what a mark or a letter of Hangul is together with the code point before it, or 0 if they
// stay two. It is asked for each mark of a text, so it does not ask golang.org/x/text.
func compose(before, r rune) rune {
	const syllables, leads, vowels, tails = 0xAC00, 0x1100, 0x1161, 0x11A7
	switch {
	case before >= leads && before < leads+19 && r >= vowels && r < vowels+21:
		return syllables + ((before-leads)*21+r-vowels)*28
	case before >= syllables && before < syllables+19*21*28 && (before-syllables)%28 == 0 && r > tails && r < tails+28:
		return before + r - tails
	}
	return composed[[2]rune{before, r}]
}

// composed are the letters of Cyrillic and of Kana that have marks which make other letters.
var composed = func() map[[2]rune]rune {
	all := map[[2]rune]rune{}
	for _, r := range slices.Concat(codePoints(0x0400, 0x04FF), codePoints(0x3040, 0x30FF)) {
		if both := []rune(norm.NFD.String(string(r))); len(both) == 2 && (isAccent(both[1]) || isVoicing(both[1])) {
			all[[2]rune(both)] = r
		}
	}
	return all
}()

func codePoints(from, to rune) (all []rune) {
	for r := from; r <= to; r++ {
		all = append(all, r)
	}
	return all
}

func digitValue(r rune) rune {
	first := r // the digits of a script follow one another from 0, as do those of several scripts
	for unicode.Is(unicode.Nd, first-1) {
		first--
	}
	return (r - first) % 10
}
