package searchindex

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// blockBytes is the size at which a block ends. Rows of up to 2 kB are not moved out of line by
// Postgres, and one fits into a page of SQLite.
const blockBytes = 1800

var errDamaged = errors.New("the index of searches is damaged")

// block is a row of words in increasing order, each with its postings:
//
//	number of bytes in common with the word before, number of other bytes, these bytes,
//	number of bytes of postings, postings
//
// Postings are increasing ordinals, each but the first as the difference to the one before. All
// numbers are varints (encoding/binary).
type block struct {
	number int
	first  string // its first word
	data   []byte
}

// blockWriter cuts words into blocks. They must be added in increasing order.
type blockWriter struct {
	blocks []block
	last   []byte // the word before
}

func (w *blockWriter) add(word, postings []byte) {
	n := len(w.blocks) - 1
	if n < 0 || len(w.blocks[n].data)+len(word)+len(postings) > blockBytes {
		w.blocks = append(w.blocks, block{number: n + 1, data: make([]byte, 0, blockBytes)})
		w.last = w.last[:0]
		n++
	}
	w.append(n, word, postings)
}

// append adds a word to the block at a place, however large it is.
func (w *blockWriter) append(place int, word, postings []byte) {
	if len(w.blocks[place].data) == 0 {
		w.blocks[place].first = string(word)
	}
	common := 0
	for common < min(len(w.last), len(word)) && w.last[common] == word[common] {
		common++
	}
	b := &w.blocks[place]
	b.data = binary.AppendUvarint(b.data, uint64(common))
	b.data = binary.AppendUvarint(b.data, uint64(len(word)-common))
	b.data = append(b.data, word[common:]...)
	b.data = binary.AppendUvarint(b.data, uint64(len(postings)))
	b.data = append(b.data, postings...)
	w.last = append(w.last[:0], word...)
}

// blockReader reads the words of a block one by one.
type blockReader struct {
	rest     []byte
	word     []byte // valid until the next call of next
	postings []byte
}

// next reads the next word, and reports whether there is one.
func (r *blockReader) next() (bool, error) {
	if len(r.rest) == 0 {
		return false, nil
	}
	common, ok := r.number()
	suffix, ok2 := r.bytes()
	postings, ok3 := r.bytes()
	if !ok || !ok2 || !ok3 || common > uint64(len(r.word)) {
		return false, fmt.Errorf("%w: a block cannot be read", errDamaged)
	}
	r.word = append(r.word[:common], suffix...)
	r.postings = postings
	return true, nil
}

func (r *blockReader) number() (uint64, bool) {
	value, n := binary.Uvarint(r.rest)
	if n <= 0 {
		return 0, false
	}
	r.rest = r.rest[n:]
	return value, true
}

func (r *blockReader) bytes() ([]byte, bool) {
	n, ok := r.number()
	if !ok || n > uint64(len(r.rest)) {
		return nil, false
	}
	found := r.rest[:n]
	r.rest = r.rest[n:]
	return found, true
}

// find returns the postings of a word, or nil.
func find(data []byte, word string) ([]byte, error) {
	r := blockReader{rest: data}
	for {
		ok, err := r.next()
		if err != nil || !ok {
			return nil, err
		}
		switch bytes.Compare(r.word, []byte(word)) {
		case 0:
			return r.postings, nil
		case 1:
			return nil, nil
		}
	}
}

// appendPostings appends ordinals, which increase.
func appendPostings(b []byte, ordinals []uint32) []byte {
	before := uint32(0)
	for _, ordinal := range ordinals {
		b = binary.AppendUvarint(b, uint64(ordinal-before))
		before = ordinal
	}
	return b
}

// ordinalsOf reads postings.
func ordinalsOf(postings []byte) ([]uint32, error) {
	var ordinals []uint32
	before := uint64(0)
	for len(postings) > 0 {
		delta, n := binary.Uvarint(postings)
		if n <= 0 || before+delta > maxDocuments {
			return nil, fmt.Errorf("%w: postings cannot be read", errDamaged)
		}
		before += delta
		ordinals = append(ordinals, uint32(before))
		postings = postings[n:]
	}
	return ordinals, nil
}

// renumbered appends postings with the new numbers of their ordinals, behind others of which last is the last
// ordinal. It returns the new last one.
func renumbered(b, postings []byte, numbers []uint32, last uint32) ([]byte, uint32, error) {
	ordinals, err := ordinalsOf(postings)
	for _, ordinal := range ordinals {
		b = binary.AppendUvarint(b, uint64(numbers[ordinal]-last))
		last = numbers[ordinal]
	}
	return b, last, err
}

// has reports whether some postings are of the ordinals.
func (b block) has(some ordinals) (bool, error) {
	r := blockReader{rest: b.data}
	for {
		ok, err := r.next()
		if err != nil || !ok {
			return false, err
		}
		if hit, err := some.intersects(r.postings); err != nil || hit {
			return hit, err
		}
	}
}

// rewritten returns what a block is without any of the ordinals that are gone, and with the ordinals of
// added words, and whether it differs: no block if it has no words left, and several if it has
// become much larger than others.
func (b block) rewritten(gone ordinals, added map[string][]uint32) ([]block, bool, error) {
	if hit, err := b.has(gone); err != nil || !hit && len(added) == 0 {
		return []block{b}, false, err
	}
	w := blockWriter{blocks: []block{{number: b.number}}}
	rest := slices.Sorted(maps.Keys(added)) // words that are still to be written
	r := blockReader{rest: b.data}
	for {
		ok, err := r.next()
		if err != nil {
			return nil, false, err
		}
		for len(rest) > 0 && (!ok || rest[0] < string(r.word)) {
			w.append(0, []byte(rest[0]), appendPostings(nil, sorted(added[rest[0]])))
			rest = rest[1:]
		}
		if !ok {
			parts, err := w.blocks[0].cut()
			return parts, true, err
		}
		var more []uint32
		if len(rest) > 0 && rest[0] == string(r.word) {
			more, rest = added[rest[0]], rest[1:]
		}
		postings, err := replaced(r.postings, gone, more)
		if err != nil {
			return nil, false, err
		}
		if len(postings) > 0 {
			w.append(0, r.word, postings)
		}
	}
}

// cut cuts a block that is much larger than others.
func (b block) cut() ([]block, error) {
	switch {
	case len(b.data) == 0:
		return nil, nil
	case len(b.data) <= 2*blockBytes:
		return []block{b}, nil
	}
	var w blockWriter
	r := blockReader{rest: b.data}
	for {
		ok, err := r.next()
		if err != nil || !ok {
			return w.blocks, err
		}
		w.add(r.word, r.postings)
	}
}

// replaced returns postings without the ordinals that are gone, and with others.
func replaced(postings []byte, gone ordinals, added []uint32) ([]byte, error) {
	if hit, err := gone.intersects(postings); err != nil || !hit && len(added) == 0 {
		return postings, err
	}
	left, err := ordinalsOf(postings)
	if err != nil {
		return nil, err
	}
	return appendPostings(nil, sorted(append(slices.DeleteFunc(left, gone.has), added...))), nil
}

func sorted(ordinals []uint32) []uint32 {
	slices.Sort(ordinals)
	return slices.Compact(ordinals)
}
