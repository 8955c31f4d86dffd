package searchindex

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// blockBytes is the size at which a block ends. Rows of up to 2 kB are not moved out of line by
// Postgres, and two of them fit into a page of SQLite.
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
		w.blocks = append(w.blocks, block{number: n + 1, first: string(word), data: make([]byte, 0, blockBytes)})
		w.last = w.last[:0]
		n++
	}
	w.append(n, word, postings)
}

// append adds a word to the block at a place, however large it is.
func (w *blockWriter) append(place int, word, postings []byte) {
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

// shifted appends postings whose ordinals are larger by offset than these, behind others of which
// last is the last ordinal. It returns the new last one.
func shifted(b, postings []byte, offset, last uint32) ([]byte, uint32, error) {
	ordinals, err := ordinalsOf(postings)
	for _, ordinal := range ordinals {
		b = binary.AppendUvarint(b, uint64(ordinal+offset-last))
		last = ordinal + offset
	}
	return b, last, err
}

// rewritten returns a block without any of the ordinals that are gone, and with the ordinals of added
// words, and whether it differs. A block may become empty, or larger than others.
func (b block) rewritten(gone []uint32, added map[string][]uint32) (block, bool, error) {
	type entry struct {
		word     string
		ordinals []uint32
	}
	var entries []entry
	changed := len(added) > 0
	r := blockReader{rest: b.data}
	for {
		ok, err := r.next()
		if err != nil {
			return b, false, err
		}
		if !ok {
			break
		}
		ordinals, err := ordinalsOf(r.postings)
		if err != nil {
			return b, false, err
		}
		n := len(ordinals)
		ordinals = slices.DeleteFunc(ordinals, func(o uint32) bool { _, is := slices.BinarySearch(gone, o); return is })
		changed = changed || len(ordinals) < n
		if more, ok := added[string(r.word)]; ok {
			ordinals = append(ordinals, more...)
			slices.Sort(ordinals)
			delete(added, string(r.word))
		}
		if len(ordinals) > 0 {
			entries = append(entries, entry{string(r.word), slices.Compact(ordinals)})
		}
	}
	if !changed {
		return b, false, nil
	}
	for word, ordinals := range added {
		slices.Sort(ordinals)
		entries = append(entries, entry{word, slices.Compact(ordinals)})
	}
	slices.SortFunc(entries, func(x, y entry) int { return bytes.Compare([]byte(x.word), []byte(y.word)) })
	w := blockWriter{blocks: []block{{number: b.number}}}
	for i, e := range entries {
		if i == 0 {
			w.blocks[0].first = e.word
		}
		w.append(0, []byte(e.word), appendPostings(nil, e.ordinals))
	}
	return w.blocks[0], true, nil
}
