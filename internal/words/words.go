package words

import (
	"hash/maphash"
	"sync"
)

// Version of the rules. It changes with whatever changes the words of a text, the tables of Unicode in
// Go and in golang.org/x/text included: an index that was made by another version has to be made anew.
const Version = 1

// Of returns the distinct words of a text, in no particular order. Each has at most 255 bytes.
func Of(text string) []string {
	e := extractors.Get().(*extractor)
	defer extractors.Put(e)
	e.reset(text)
	pending := false // e.last is a character that no pair has begun with yet
	for e.next() {
		if pending {
			if e.joined {
				e.set.add(e.last, e.word)
			} else {
				e.set.add(e.last, nil)
			}
		}
		if pending = e.class >= firstPair; pending {
			e.last = append(e.last[:0], e.word...)
		} else {
			e.set.add(e.word, nil)
		}
	}
	if pending {
		e.set.add(e.last, nil)
	}
	return e.set.take()
}

type extractor struct {
	scanner
	last []byte
	set  set
}

var extractors = sync.Pool{New: func() any { return new(extractor) }}

// set is a set of words in one piece of memory, so that those of a text cost two allocations: a hash table
// of the words' numbers, with open addressing.
type set struct {
	bytes []byte
	ends  []int32 // of the words in bytes
	table []int32 // 1 + a word's number; the length is a power of two
}

var seed = maphash.MakeSeed()

// add adds a word, of two parts.
func (s *set) add(a, b []byte) {
	if 2*len(s.ends) >= len(s.table) {
		s.grow()
	}
	start := len(s.bytes)
	s.bytes = append(append(s.bytes, a...), b...)
	if word := s.bytes[start:]; len(word) > maxBytes {
		s.bytes = s.bytes[:start+cut(word)]
	}
	word := s.bytes[start:]
	slot := s.slot(word)
	if s.table[slot] != 0 {
		s.bytes = s.bytes[:start]
		return
	}
	s.ends = append(s.ends, int32(len(s.bytes)))
	s.table[slot] = int32(len(s.ends))
}

// slot returns where in the table a word is or should be.
func (s *set) slot(word []byte) int {
	last := len(s.table) - 1
	slot := int(maphash.Bytes(seed, word)) & last
	for n := s.table[slot]; n != 0 && string(s.word(int(n-1))) != string(word); n = s.table[slot] {
		slot = (slot + 1) & last
	}
	return slot
}

func (s *set) word(n int) []byte {
	start := int32(0)
	if n > 0 {
		start = s.ends[n-1]
	}
	return s.bytes[start:s.ends[n]]
}

func (s *set) grow() {
	s.table = make([]int32, max(256, 2*len(s.table)))
	for n := range s.ends {
		s.table[s.slot(s.word(n))] = int32(n + 1)
	}
}

// take returns the words and empties the set.
func (s *set) take() []string {
	all := string(s.bytes)
	words := make([]string, len(s.ends))
	start := int32(0)
	for n, end := range s.ends {
		words[n] = all[start:end]
		start = end
	}
	s.bytes, s.ends = s.bytes[:0], s.ends[:0]
	clear(s.table)
	return words
}
