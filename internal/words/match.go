package words

import (
	"math/bits"
	"strings"
	"sync"
)

// Span is a part of a text, in code points; End is exclusive.
type Span struct{ Start, End int }

// matcher matches all phrases in one pass over the units of a text, by the bit-parallel algorithm known
// as Shift-And: bit i of the state is set while the units up to unit i of its phrase have just been
// read. So the time does not depend on how often a text repeats the beginning of a phrase.
type matcher struct {
	first, joined, last bitset // the units of the query that are so
	at                  map[string]bitset
	lengths             []int     // of the phrase that a unit is the last of, in units
	begins              [256]bool // a unit of the query begins with this byte
}

type bitset []uint64

func (b bitset) set(i int) { b[i/64] |= 1 << (i % 64) }

func (q *Query) prepare() {
	m, n := &q.matcher, len(q.units)
	empty := func() bitset { return make(bitset, (n+63)/64) }
	m.first, m.joined, m.last, m.at, m.lengths = empty(), empty(), empty(), map[string]bitset{}, make([]int, n)
	length := 0
	for i, u := range q.units {
		length++
		if u.first {
			m.first.set(i)
			length = 1
		}
		if u.joined {
			m.joined.set(i)
		}
		if i == n-1 || q.units[i+1].first {
			m.last.set(i)
			m.lengths[i] = length
		}
		if m.at[u.word] == nil {
			m.at[u.word] = empty()
		}
		m.at[u.word].set(i)
		m.begins[u.word[0]] = true
	}
}

// Match reports whether the text has all that the query looks for, and where. The spans are in order and
// do not touch.
func (q *Query) Match(text string) (spans []Span, ok bool) {
	if len(q.units) == 0 {
		return nil, false
	}
	m := matches.Get().(*match)
	defer matches.Put(m)
	m.start(q, text)
	for m.next() {
		m.starts = append(m.starts, m.scanner.start)
		if length := m.step(); length > 0 {
			spans = addSpan(spans, Span{m.starts[len(m.starts)-length], m.end})
		}
	}
	for i, last := range q.matcher.last {
		if m.found[i] != last {
			return nil, false
		}
	}
	return spans, true
}

// match is the state of matching one text.
type match struct {
	scanner
	query        *Query
	starts       []int // of all units
	state, found bitset
	at           bitset
}

var matches = sync.Pool{New: func() any { return new(match) }}

func (m *match) start(q *Query, text string) {
	m.reset(text)
	m.query, m.starts = q, m.starts[:0]
	n := len(q.matcher.first)
	all := make(bitset, 3*n)
	m.state, m.found, m.at = all[:n], all[n:2*n], all[2*n:]
}

// step takes in a unit of the text and returns the length of the longest phrase that ends there, or 0.
func (m *match) step() int {
	if !m.query.matcher.begins[m.word[0]] || !m.candidates() {
		clear(m.state)
		return 0
	}
	q, longest, carry := &m.query.matcher, 0, uint64(0)
	for i, before := range m.state {
		now := before<<1 | carry
		carry = before >> 63
		if !m.joined {
			now &^= q.joined[i]
		}
		m.state[i] = (now | q.first[i]) & m.at[i]
		for hits := m.state[i] & q.last[i]; hits != 0; hits &= hits - 1 {
			longest = max(longest, q.lengths[64*i+bits.TrailingZeros64(hits)])
		}
		m.found[i] |= m.state[i] & q.last[i]
	}
	return longest
}

// candidates sets m.at to the units of the query that the unit of the text is, and reports whether there
// are any.
func (m *match) candidates() bool {
	at := m.query.matcher.at[string(m.word)]
	if at != nil {
		copy(m.at, at)
	}
	last := m.query.units[len(m.query.units)-1].word
	if m.query.prefix && strings.HasPrefix(string(m.word), last) {
		if at == nil {
			clear(m.at)
		}
		m.at.set(len(m.query.units) - 1)
		return true
	}
	return at != nil
}

// addSpan appends a span that does not end before those there are, and merges it with those it touches.
func addSpan(spans []Span, s Span) []Span {
	for n := len(spans); n > 0 && spans[n-1].End >= s.Start; n-- {
		s.Start = min(s.Start, spans[n-1].Start)
		spans = spans[:n-1]
	}
	return append(spans, s)
}
