package words

import (
	"cmp"
	"slices"
	"unicode/utf8"
)

// maxBytes is the length at which words are cut, in a text and in a query alike.
const maxBytes = 255

// char is a folded code point and where in the text it was.
type char struct {
	folded
	at int
}

// scanner reads the units of a text one after the other: a word of letters, a number, a symbol or, of
// the scripts without spaces, a character with its marks.
type scanner struct {
	text   string
	pos    int    // in bytes
	read   int    // code points
	char   char   // the first that is not in the unit
	queue  []char // come after char, from queued on
	queued int

	// The unit:
	word       []byte
	class      class
	before     class // nothing, separator or space: what is between this unit and the one before
	joined     bool  // to the unit before: both are of one run of a script without spaces
	start, end int   // in code points
}

func (s *scanner) reset(text string) {
	*s = scanner{text: text, queue: s.queue[:0], word: s.word[:0]}
	s.advance()
}

// next moves to the next unit of the text and reports whether there is one.
func (s *scanner) next() bool {
	previous := s.class
	s.before = nothing
	for s.char.class == separator || s.char.class == space {
		s.before = max(s.before, s.char.class)
		s.advance()
	}
	if s.char.class == nothing {
		return false
	}
	s.class, s.start = s.char.class, s.char.at
	if s.class == mark {
		s.class = letter
	}
	s.joined = s.before == nothing && s.class >= firstPair && s.class == previous
	s.word = s.word[:0]
	s.readUnit()
	if len(s.word) > maxBytes {
		s.word = s.word[:cut(s.word)]
	}
	return true
}

func (s *scanner) readUnit() {
	for {
		s.append(s.char.r)
		if s.class == letter && s.queued == len(s.queue) {
			s.readASCII()
		}
		last := s.char.at
		s.advance()
		if !s.extends() {
			s.end = max(s.char.at, last+1)
			return
		}
	}
}

// extends reports whether the next code point belongs to the unit.
func (s *scanner) extends() bool {
	switch s.char.class {
	case mark:
		return true
	case letter, digit:
		return s.char.class == s.class
	case regional:
		return s.class == regional && len(s.word) == utf8.UTFMax
	}
	if !isJamo(s.char.r) {
		return false
	}
	last, _ := utf8.DecodeLastRune(s.word)
	return compose(last, s.char.r) != 0
}

// readASCII is the fast path for the rest of a word.
func (s *scanner) readASCII() {
	from := s.pos
	for s.pos < len(s.text) && asciiLetters[s.text[s.pos]] != 0 {
		s.word = append(s.word, asciiLetters[s.text[s.pos]])
		s.pos++
	}
	if n := s.pos - from; n > 0 {
		s.read += n
		s.char = char{folded{r: rune(s.word[len(s.word)-1]), class: letter}, s.read - 1}
	}
}

// asciiLetters has the lower-case form of each letter of ASCII, and 0 for other bytes.
var asciiLetters = func() (t [256]byte) {
	for b := byte('a'); b <= 'z'; b++ {
		t[b], t[b-'a'+'A'] = b, b
	}
	return t
}()

func (s *scanner) append(r rune) {
	if s.char.class == mark || isJamo(r) {
		last, size := utf8.DecodeLastRune(s.word)
		if both := compose(last, r); both != 0 {
			s.word, r = s.word[:len(s.word)-size], both
		}
	}
	s.word = utf8.AppendRune(s.word, r)
}

// advance reads the next folded code point.
func (s *scanner) advance() {
	if s.dequeue() {
		return
	}
	for s.pos < len(s.text) {
		f, all, size := s.peek()
		at := s.read
		s.pos += size
		s.read++
		switch {
		case f.class == ignored:
			continue
		case f.class == several || f.order > 0:
			s.gather(all, at)
		default:
			s.char = char{f, at}
			return
		}
		if s.dequeue() {
			return
		}
	}
	s.char = char{at: s.read}
}

func (s *scanner) dequeue() bool {
	if s.queued == len(s.queue) {
		return false
	}
	s.char = s.queue[s.queued]
	s.queued++
	return true
}

// peek returns the entry of the next code point, and all that it becomes.
func (s *scanner) peek() (entry folded, all []folded, size int) {
	r, size := utf8.DecodeRuneInString(s.text[s.pos:])
	p, i := pageOf(r), r%256
	entry, all = p.folded[i], p.folded[i:i+1]
	if entry.class == several {
		all = p.several[entry.r]
	}
	return entry, all, size
}

// gather queues what became of a code point and the marks that follow it, in canonical order. Their place
// is that of the first.
func (s *scanner) gather(all []folded, at int) {
	queue := s.queue[:0]
	base, marks := s.char.r, 0
	push := func(f folded) {
		if f.class == accent {
			f.class = classOfAccent(base, f.r)
		}
		if f.class == ignored {
			return
		}
		queue = append(queue, char{f, at})
		switch {
		case f.order == 0:
			base, marks = f.r, len(queue)
		case isAccent(f.r):
			base = 0 // has its accent
		}
	}
	for _, f := range all {
		push(f)
	}
	for s.pos < len(s.text) {
		f, all, size := s.peek()
		if f.order == 0 && f.class != ignored {
			break
		}
		for _, f := range all {
			push(f)
		}
		s.pos += size
		s.read++
	}
	slices.SortStableFunc(queue[marks:], func(a, b char) int { return cmp.Compare(a.order, b.order) })
	s.queue, s.queued = queue, 0
}

// cut returns where a word longer than maxBytes is cut: between two code points.
func cut(word []byte) int {
	n := maxBytes
	for n > 0 && !utf8.RuneStart(word[n]) {
		n--
	}
	return n
}
