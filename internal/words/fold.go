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
	order uint8 // the canonical combining class; marks are sorted by it
}

// page describes 256 code points. Looking up one there is fifty times as fast as asking the tables of
// Unicode for it; the pages are made when a text first needs them.
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
// then without the marks that carry no meaning, and with the letters that stand for others replaced.
func fold(r rune) []folded {
	switch {
	case isIgnorable(r):
		return nil
	case unicode.Is(unicode.White_Space, r):
		return []folded{{class: space}}
	}
	var all []folded
	var base rune
	for _, r := range caseFold(r) {
		f := folded{r: r, class: classOf(r), order: combiningClass(r)}
		if f.class == accent && base != 0 {
			f.class = classOfAccent(base, r)
		}
		if f.class == ignored {
			continue
		}
		switch {
		case r == ypogegrammeni:
			f.r = 'ι'
		case f.class == digit:
			f.r = '0' + digitValue(r)
		}
		if f.order == 0 {
			base = f.r
		}
		all = append(all, f)
	}
	return all
}

// ypogegrammeni is the only mark that is a letter when case-folded. It is sorted as a mark first.
const ypogegrammeni = '\u0345'

// caseFold decomposes and folds until nothing changes.
func caseFold(r rune) string {
	s := norm.NFKD.String(string(r))
	for {
		var next strings.Builder
		for _, r := range s {
			switch same, ok := sameLetters[r]; {
			case r == ypogegrammeni:
				next.WriteRune(r)
			case ok:
				next.WriteString(same)
			default:
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

func combiningClass(r rune) uint8 {
	return norm.NFKD.PropertiesString(string(r)).CCC()
}

func digitValue(r rune) rune {
	first := r // the digits of a script follow one another from 0, as do those of several scripts
	for unicode.Is(unicode.Nd, first-1) {
		first--
	}
	return (r - first) % 10
}
