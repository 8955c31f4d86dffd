package searchindex

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/mailbox"
	"github.com/message-service/message-service/internal/words"
)

// Query selects the documents of an owner that have all terms, and ids from Low to below High. It takes the
// least time if the rarest terms come first.
type Query struct {
	Owner     string
	Terms     []words.Term
	Low, High mailbox.ID
	Upward    bool // the oldest first
}

const (
	// maxPrefixBlocks bounds the blocks of a segment that are read for a term that is a prefix. If
	// more words begin with it, few messages lack it, and they stay candidates.
	maxPrefixBlocks = 32

	termsAtATime = 4

	firstGroup = 2  // segments that are read at first
	maxGroup   = 32 // and later, at a time
	maxStale   = 20 // attempts to read segments that are merged at the same time
)

// ErrOutdated says that an older version of the tokeniser has made a segment, which may lack words
// therefore. See [Renew].
var ErrOutdated = errors.New("the index was made by an older version")

// Search returns the ids of the candidates in order. It reads segments as the caller takes ids.
// Errors: [ErrOutdated].
func Search(ctx context.Context, q sqlx.QueryerContext, rebind func(string) string, query Query) iter.Seq2[mailbox.ID, error] {
	return func(yield func(mailbox.ID, error) bool) {
		s := search{Query: query, ctx: ctx, q: q, rebind: rebind, yield: yield}
		for group, stale := firstGroup, 0; ; {
			segments, err := selectSegments(ctx, q, s.Owner, s.Low, s.High, s.Upward, group)
			if err == nil {
				err = s.group(segments)
			}
			switch {
			case errors.Is(err, errStopped):
				return
			case errors.Is(err, errStale) && stale < maxStale:
				stale++ // go on behind the last id that was yielded
			case err != nil:
				yield(mailbox.ID{}, fmt.Errorf("search: %w", err))
				return
			case len(segments) < group:
				return
			default:
				group = min(4*group, maxGroup)
			}
		}
	}
}

var errStopped = errors.New("the caller has enough")

// search is a search that goes on.
type search struct {
	Query // what is still to be read

	ctx    context.Context //nolint:containedctx // the caller's, for as long as it iterates
	q      sqlx.QueryerContext
	rebind func(string) string
	yield  func(mailbox.ID, error) bool
}

// group yields the candidates of segments. It reads the blocks of a few terms at a time, and only those of
// segments in which a message has all terms before.
func (s *search) group(segments []segment) error {
	parts := make([]part, len(segments))
	for i := range segments {
		if segments[i].Version < words.Version {
			return ErrOutdated
		}
		d, err := decodeDirectory(segments[i].Directory)
		if err != nil {
			return err
		}
		parts[i] = part{segment: &segments[i], directory: d, found: all(d.documents)}
	}
	for terms := range slices.Chunk(s.Terms, termsAtATime) {
		if err := s.narrow(parts, terms); err != nil {
			return err
		}
	}
	for i := range parts {
		if err := s.yieldAll(&parts[i]); err != nil {
			return err
		}
		s.pass(segments[i].First, segments[i].Last)
	}
	return nil
}

// part is a segment that is being searched.
type part struct {
	*segment

	directory directory
	found     ordinals // of the candidates; nil if there are none
}

// narrow leaves those candidates in the segments that have some more terms.
func (s *search) narrow(parts []part, terms []words.Term) error {
	var keys []rowKey
	for i := range parts {
		if parts[i].found != nil {
			keys = append(keys, parts[i].rowsFor(terms)...)
		}
	}
	rows, err := selectRows(s.ctx, s.q, s.rebind, s.Owner, keys)
	for i := range parts {
		if err == nil && parts[i].found != nil {
			err = parts[i].narrow(terms, rows)
		}
	}
	return err
}

// pass records that what is between two ids was read.
func (s *search) pass(first, last mailbox.ID) {
	if s.Upward {
		s.Low = last.Successor()
	} else {
		s.High = first
	}
}

// placesOf returns the places of the blocks with a term's words. It reports false if they are too
// many.
func placesOf(d *directory, t words.Term) (from, to int, ok bool) {
	if t.Prefix {
		from, to = d.places(t.Word)
		return from, to, to-from <= maxPrefixBlocks
	}
	from = d.place(t.Word)
	return max(from, 0), from + 1, true
}

// rowsFor returns the keys of the blocks with terms, or none if a term is not in the segment.
func (p *part) rowsFor(terms []words.Term) (keys []rowKey) {
	for _, t := range terms {
		from, to, ok := placesOf(&p.directory, t)
		if from == to {
			return nil
		}
		if !ok {
			continue
		}
		for _, b := range p.directory.blocks[from:to] {
			keys = append(keys, rowKey{p.ID, b.number})
		}
	}
	return keys
}

// narrow leaves those candidates that have some more terms.
func (p *part) narrow(terms []words.Term, rows map[rowKey][]byte) error {
	for _, t := range terms {
		from, to, ok := placesOf(&p.directory, t)
		if from < to && !ok {
			continue
		}
		some := newOrdinals(p.directory.documents)
		for _, b := range p.directory.blocks[from:to] {
			if err := some.addTerm(rows[rowKey{p.ID, b.number}], t); err != nil {
				return err
			}
		}
		left := uint64(0)
		for i := range some {
			some[i] &= p.found[i]
			left |= some[i]
		}
		if p.found = some; left == 0 {
			p.found = nil
			return nil
		}
	}
	return nil
}

// chunksOf returns the chunks of ids that have candidates, in the order of the search.
func (s *search) chunksOf(p *part) (chunks []int) {
	const perChunk = chunkIDs / 64
	d := &p.directory
	for i := range d.chunks {
		if !s.Upward {
			i = len(d.chunks) - 1 - i
		}
		if d.chunks[i].Compare(s.High) >= 0 || i+1 < len(d.chunks) && d.chunks[i+1].Compare(s.Low) <= 0 {
			continue
		}
		for _, set := range p.found[perChunk*i : min(perChunk*(i+1), len(p.found))] {
			if set != 0 {
				chunks = append(chunks, i)
				break
			}
		}
	}
	return chunks
}

// yieldAll yields the ids of the candidates of a segment. It reads a few chunks of ids first, then more at
// a time.
func (s *search) yieldAll(p *part) error {
	if p.found == nil {
		return nil
	}
	chunks := s.chunksOf(p)
	for n := 4; len(chunks) > 0; n = min(2*n, 64) {
		some := chunks[:min(n, len(chunks))]
		chunks = chunks[len(some):]
		keys := make([]rowKey, len(some))
		for i, chunk := range some {
			keys[i] = rowKey{p.ID, chunkNumber(chunk)}
		}
		rows, err := selectRows(s.ctx, s.q, s.rebind, s.Owner, keys)
		if err != nil {
			return err
		}
		for _, chunk := range some {
			if err := s.yieldChunk(idsOf(rows[rowKey{p.ID, chunkNumber(chunk)}]), chunk, p.found); err != nil {
				return err
			}
		}
	}
	return nil
}

// yieldChunk yields those ids of a chunk whose ordinals were found.
func (s *search) yieldChunk(ids []mailbox.ID, chunk int, found ordinals) error {
	for i := range ids {
		if !s.Upward {
			i = len(ids) - 1 - i
		}
		ordinal := chunk*chunkIDs + i
		if !found.has(uint32(ordinal)) || ids[i].Compare(s.Low) < 0 || ids[i].Compare(s.High) >= 0 {
			continue
		}
		if !s.yield(ids[i], nil) {
			return errStopped
		}
		s.pass(ids[i], ids[i])
	}
	return nil
}
