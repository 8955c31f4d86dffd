package words

import (
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
// stay two.
func compose(before, r rune) rune {
	if !isAccent(r) && !isVoicing(r) && !isJamo(r) {
		return 0
	}
	both := []rune(norm.NFC.String(string([]rune{before, r})))
	if len(both) > 1 {
		return 0
	}
	return both[0]
}

func digitValue(r rune) rune {
	first := r // the digits of a script follow one another from 0, as do those of several scripts
	for unicode.Is(unicode.Nd, first-1) {
		first--
	}
	return (r - first) % 10
}
