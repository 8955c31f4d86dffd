package searchindex

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/mailbox"
	"github.com/message-service/message-service/internal/words"
)

// Change is a document whose words are replaced. It was not erased before, if it has new ones.
type Change struct {
	ID  mailbox.ID
	Old []string // the words it had, or nil if they are not known: then it takes longer
	New []string // the words it has; nil if it is erased
}

// Replace replaces the words of documents, which are indexed. The index must be locked. Nothing of
// the old words is left, even if another version of the tokeniser has made them.
func Replace(ctx context.Context, tx *sqlx.Tx, owner string, changes []Change) error {
	changes = slices.SortedFunc(slices.Values(changes), func(a, b Change) int { return a.ID.Compare(b.ID) })
	for len(changes) > 0 {
		found, err := selectSegments(ctx, tx, owner, changes[0].ID, mailbox.LastID, true, 1)
		if err != nil || len(found) == 0 {
			return err
		}
		n := 0
		for n < len(changes) && changes[n].ID.Compare(found[0].Last) <= 0 {
			n++
		}
		if err := replaceIn(ctx, tx, owner, &found[0], changes[:n]); err != nil {
			return err
		}
		changes = changes[n:]
	}
	return nil
}

// edit replaces words of documents in one segment.
type edit struct {
	tx        *sqlx.Tx
	owner     string
	segment   *segment
	directory directory
	changes   []Change // of the documents that the segment has
	ordinals  []uint32 // of these documents
}

// replaceIn replaces words in one segment.
func replaceIn(ctx context.Context, tx *sqlx.Tx, owner string, s *segment, changes []Change) error {
	d, err := decodeDirectory(s.Directory)
	if err != nil {
		return err
	}
	e := edit{tx: tx, owner: owner, segment: s, directory: d}
	if err := e.find(ctx, changes); err != nil || len(e.changes) == 0 || len(d.blocks) == 0 { // without blocks, all were erased
		return err
	}
	added := e.addedWords()
	return e.rewrite(ctx, e.touched(added), added)
}

// find finds the changed documents, and leaves out those that the segment does not have, since they were erased
// before it was made or merged.
func (e *edit) find(ctx context.Context, changes []Change) error {
	chunkOf := func(id mailbox.ID) int {
		i, is := slices.BinarySearchFunc(e.directory.chunks, id, mailbox.ID.Compare)
		if !is {
			i--
		}
		return max(i, 0)
	}
	keys := make([]rowKey, len(changes))
	for i, change := range changes {
		keys[i] = rowKey{e.segment.ID, chunkNumber(chunkOf(change.ID))}
	}
	rows, err := selectRows(ctx, e.tx, e.tx.Rebind, e.owner, keys)
	if err != nil {
		return err
	}
	for _, change := range changes {
		chunk := chunkOf(change.ID)
		ids := idsOf(rows[rowKey{e.segment.ID, chunkNumber(chunk)}])
		if i, is := slices.BinarySearchFunc(ids, change.ID, mailbox.ID.Compare); is {
			e.changes, e.ordinals = append(e.changes, change), append(e.ordinals, uint32(chunk*chunkIDs+i))
		}
	}
	return nil
}

// wordsByPlace are words with the ordinals of the documents that have them, by the places of their blocks.
type wordsByPlace map[int]map[string][]uint32

// addedWords are the new words of the documents.
func (e *edit) addedWords() wordsByPlace {
	added := wordsByPlace{}
	for i, change := range e.changes {
		for _, word := range change.New {
			place := max(e.directory.place(word), 0)
			if added[place] == nil {
				added[place] = map[string][]uint32{}
			}
			added[place][word] = append(added[place][word], e.ordinals[i])
		}
	}
	return added
}

// touched returns the places of the blocks that may have old words or get new ones, in increasing order: all of them, if
// some old words are not known, or another version of the tokeniser has made them.
func (e *edit) touched(added wordsByPlace) (places []int) {
	if e.segment.Version != words.Version || slices.ContainsFunc(e.changes, func(change Change) bool { return change.Old == nil }) {
		for place := range e.directory.blocks {
			places = append(places, place)
		}
		return places
	}
	places = slices.Collect(maps.Keys(added))
	for _, change := range e.changes {
		for _, word := range change.Old {
			places = append(places, max(e.directory.place(word), 0))
		}
	}
	slices.Sort(places)
	return slices.Compact(places)
}

// rewrite takes the documents out of the blocks at some places, which increase, and adds words.
func (e *edit) rewrite(ctx context.Context, places []int, added wordsByPlace) error {
	s, d := e.segment, &e.directory
	keys := make([]rowKey, len(places))
	for i, place := range places {
		keys[i] = rowKey{s.ID, d.blocks[place].number}
	}
	rows, err := selectRows(ctx, e.tx, e.tx.Rebind, e.owner, keys)
	if err != nil {
		return err
	}
	erased := newOrdinals(d.documents)
	for _, ordinal := range e.ordinals {
		erased[ordinal/64] |= 1 << (ordinal % 64)
	}
	var saved, blocks []block
	var deleted []int
	for place, b := range d.blocks {
		if _, is := slices.BinarySearch(places, place); !is {
			blocks = append(blocks, b)
			continue
		}
		b.data = rows[rowKey{s.ID, b.number}]
		parts, changed, err := b.rewritten(erased, added[place])
		if err != nil {
			return err
		}
		if changed {
			if s.replace(b, parts) {
				deleted = append(deleted, b.number)
			}
			saved = append(saved, parts...)
		}
		blocks = append(blocks, parts...)
	}
	if err := saveBlocks(ctx, e.tx, e.owner, s.ID, saved); err != nil {
		return err
	}
	if err := deleteBlocks(ctx, e.tx, e.owner, s.ID, deleted); err != nil {
		return err
	}
	d.blocks = blocks
	_, err = e.tx.ExecContext(ctx, "UPDATE search_segments SET bytes = $1, edits = $2, directory = $3 WHERE owner = $4 AND last_id = $5",
		s.Bytes, s.Edits+1, d.encode(), e.owner, s.Last)
	if err != nil {
		return fmt.Errorf("update a segment: %w", err)
	}
	return nil
}

// replace counts the bytes of blocks that come in place of one and, if they are several, gives them numbers.
// It reports whether that one is to be deleted: a search that has read the former directory then misses it,
// and reads the directory again.
func (s *segment) replace(b block, parts []block) bool {
	s.Bytes -= len(b.data)
	for i := range parts {
		s.Bytes += len(parts[i].data)
		parts[i].number = b.number
		if len(parts) > 1 {
			parts[i].number = s.Edits
			s.Edits++
		}
	}
	return len(parts) != 1
}
