package searchindex

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	"github.com/message-service/message-service/internal/mailbox"
	"github.com/message-service/message-service/internal/words"
)

// Document is a message with its words, of which it has one at least: one without is taken for erased.
type Document struct {
	ID    mailbox.ID
	Words []string
}

const (
	maxDocuments = 1 << 24 // of a segment; far more than its bytes allow
	chunkIDs     = 128     // ids in a row
)

// segment is a part of an index: the messages of an owner in a range of ids.
type segment struct {
	ID        mailbox.ID `db:"segment"`  // of this segment; no two ever have the same
	First     mailbox.ID `db:"first_id"` // of its oldest message
	Last      mailbox.ID `db:"last_id"`  // of its newest message
	Version   int        `db:"version"`  // of the tokeniser
	Bytes     int        `db:"bytes"`    // of its blocks
	Edits     int        `db:"edits"`    // grows with each change of its blocks; no block has had this number
	Directory []byte     `db:"directory"`
}

// directory says which rows a segment has.
type directory struct {
	documents int
	chunks    []mailbox.ID // the first id of each row of ids
	blocks    []block      // without data, in the order of their words
}

// content is all of a segment but its row.
type content struct {
	ids    []mailbox.ID
	blocks []block
}

// chunkNumber is the number of the row with the ids of a chunk; blocks have those from 0 on.
func chunkNumber(chunk int) int { return -1 - chunk }

func (d *directory) encode() []byte {
	b := binary.AppendUvarint(nil, uint64(d.documents))
	for _, id := range d.chunks {
		b = append(b, id[:]...)
	}
	for _, block := range d.blocks {
		b = binary.AppendUvarint(b, uint64(block.number))
		b = binary.AppendUvarint(b, uint64(len(block.first)))
		b = append(b, block.first...)
	}
	return b
}

func decodeDirectory(b []byte) (d directory, err error) {
	r := blockReader{rest: b}
	documents, ok := r.number()
	if !ok || documents > maxDocuments || uint64(len(r.rest)) < (documents+chunkIDs-1)/chunkIDs*uint64(len(mailbox.ID{})) {
		return d, fmt.Errorf("%w: a directory cannot be read", errDamaged)
	}
	d.documents = int(documents)
	d.chunks = make([]mailbox.ID, (d.documents+chunkIDs-1)/chunkIDs)
	for i := range d.chunks {
		r.rest = r.rest[copy(d.chunks[i][:], r.rest):]
	}
	count, err := countBlocks(r)
	if err != nil {
		return d, err
	}
	// A search decodes thousands of blocks: one allocation has their words, and one the blocks.
	text := string(r.rest)
	d.blocks = make([]block, count)
	for i := range d.blocks {
		number, _ := r.number()
		first, _ := r.bytes()
		end := len(text) - len(r.rest)
		d.blocks[i] = block{number: int(number), first: text[end-len(first) : end]}
	}
	return d, nil
}

// countBlocks counts the blocks in the rest of a directory.
func countBlocks(r blockReader) (count int, err error) {
	for ; len(r.rest) > 0; count++ {
		_, ok := r.number()
		_, ok2 := r.bytes()
		if !ok || !ok2 {
			return 0, fmt.Errorf("%w: a directory cannot be read", errDamaged)
		}
	}
	return count, nil
}

// place is the place of the block that has a word, or would have it; -1 if the word is before all
// blocks.
func (d *directory) place(word string) int {
	return sort.Search(len(d.blocks), func(i int) bool { return d.blocks[i].first > word }) - 1
}

// places are the places of the blocks that have words with a beginning.
func (d *directory) places(prefix string) (from, to int) {
	from = max(d.place(prefix), 0)
	to = from
	for to < len(d.blocks) && (d.blocks[to].first <= prefix || strings.HasPrefix(d.blocks[to].first, prefix)) {
		to++
	}
	return from, to
}

// contentOf makes the content of a segment of documents, which are in the order of their ids.
func contentOf(documents []Document) content {
	ordinals := map[string][]uint32{}
	c := content{ids: make([]mailbox.ID, len(documents))}
	for i, d := range documents {
		c.ids[i] = d.ID
		for _, word := range d.Words {
			ordinals[word] = append(ordinals[word], uint32(i))
		}
	}
	var w blockWriter
	var postings []byte
	for _, word := range slices.Sorted(maps.Keys(ordinals)) {
		postings = appendPostings(postings[:0], slices.Compact(ordinals[word]))
		w.add([]byte(word), postings)
	}
	c.blocks = w.blocks
	return c
}

// segment makes the row of a content.
func (c *content) segment(id mailbox.ID, version int) segment {
	d := directory{documents: len(c.ids), blocks: c.blocks}
	bytes := 0
	for i := 0; i < len(c.ids); i += chunkIDs {
		d.chunks = append(d.chunks, c.ids[i])
	}
	for _, b := range c.blocks {
		bytes += len(b.data)
	}
	return segment{ID: id, First: c.ids[0], Last: c.ids[len(c.ids)-1], Version: version, Bytes: bytes, Edits: len(c.blocks), Directory: d.encode()}
}

// cursor reads the words of a content in order.
type cursor struct {
	blocks  []block // that are not begun
	reader  blockReader
	numbers []uint32 // the ordinals of its documents in the merged segment
	done    bool
}

func (c *cursor) next() error {
	for {
		ok, err := c.reader.next()
		if err != nil || ok {
			return err
		}
		if len(c.blocks) == 0 {
			c.done = true
			return nil
		}
		c.reader = blockReader{rest: c.blocks[0].data}
		c.blocks = c.blocks[1:]
	}
}

// merge makes one content of several, which are in the order of their ids. It leaves out documents that
// were erased.
func merge(contents []content) (merged content, err error) {
	cursors := make([]*cursor, len(contents))
	for i, c := range contents {
		left, err := c.documents()
		if err != nil {
			return content{}, err
		}
		cursors[i] = &cursor{blocks: c.blocks, numbers: make([]uint32, 64*len(left))}
		for ordinal, id := range c.ids {
			if left.has(uint32(ordinal)) {
				cursors[i].numbers[ordinal] = uint32(len(merged.ids))
				merged.ids = append(merged.ids, id)
			}
		}
		if err := cursors[i].next(); err != nil {
			return content{}, err
		}
	}
	var w blockWriter
	for {
		least := leastOf(cursors)
		if least == nil {
			merged.blocks = w.blocks
			return merged, nil
		}
		if err := mergeWord(&w, cursors, bytes.Clone(least.reader.word)); err != nil {
			return content{}, err
		}
	}
}

// documents is the set of the documents that have words.
func (c *content) documents() (ordinals, error) {
	some := newOrdinals(len(c.ids))
	for _, b := range c.blocks {
		if err := some.addTerm(b.data, words.Term{Prefix: true}); err != nil {
			return nil, err
		}
	}
	return some, nil
}

// leastOf returns a cursor at the least word, or nil.
func leastOf(cursors []*cursor) (least *cursor) {
	for _, c := range cursors {
		if !c.done && (least == nil || bytes.Compare(c.reader.word, least.reader.word) < 0) {
			least = c
		}
	}
	return least
}

// mergeWord adds a word with the postings of all cursors that are at it, and moves these on.
func mergeWord(w *blockWriter, cursors []*cursor, word []byte) (err error) {
	var postings []byte
	last := uint32(0)
	for _, c := range cursors {
		if c.done || !bytes.Equal(c.reader.word, word) {
			continue
		}
		if postings, last, err = renumbered(postings, c.reader.postings, c.numbers, last); err != nil {
			return err
		}
		if err := c.next(); err != nil {
			return err
		}
	}
	w.add(word, postings)
	return nil
}
