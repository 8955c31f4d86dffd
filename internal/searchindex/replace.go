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

// replaceIn replaces words in one segment.
func replaceIn(ctx context.Context, tx *sqlx.Tx, owner string, s *segment, changes []Change) error {
	d, err := decodeDirectory(s.Directory)
	if err != nil {
		return err
	}
	numbers, changes, err := ordinalsOfChanges(ctx, tx, owner, s, &d, changes)
	if err != nil || len(numbers) == 0 || len(d.blocks) == 0 { // without blocks, all were erased
		return err
	}
	added := addedWords(&d, numbers, changes)
	var touched []int // places of blocks
	if s.Version != words.Version || slices.ContainsFunc(changes, func(change Change) bool { return change.Old == nil }) {
		for place := range d.blocks {
			touched = append(touched, place)
		}
	} else {
		touched = slices.Collect(maps.Keys(added))
		for _, change := range changes {
			for _, word := range change.Old {
				touched = append(touched, max(d.place(word), 0))
			}
		}
		slices.Sort(touched)
		touched = slices.Compact(touched)
	}
	return rewrite(ctx, tx, owner, s, &d, numbers, touched, added)
}

// addedWords are the ordinals of the new words of documents, by the places of their blocks.
func addedWords(d *directory, numbers []uint32, changes []Change) map[int]map[string][]uint32 {
	added := map[int]map[string][]uint32{}
	for i, change := range changes {
		for _, word := range change.New {
			place := max(d.place(word), 0)
			if added[place] == nil {
				added[place] = map[string][]uint32{}
			}
			added[place][word] = append(added[place][word], numbers[i])
		}
	}
	return added
}

// ordinalsOfChanges returns the ordinals of changed documents, and leaves out those that the segment
// does not have, since they were erased before it was made or merged.
func ordinalsOfChanges(
	ctx context.Context, tx *sqlx.Tx, owner string, s *segment, d *directory, changes []Change,
) (numbers []uint32, known []Change, err error) {
	chunkOf := func(id mailbox.ID) int {
		i, is := slices.BinarySearchFunc(d.chunks, id, mailbox.ID.Compare)
		if !is {
			i--
		}
		return max(i, 0)
	}
	keys := make([]rowKey, len(changes))
	for i, change := range changes {
		keys[i] = rowKey{s.ID, chunkNumber(chunkOf(change.ID))}
	}
	rows, err := selectRows(ctx, tx, tx.Rebind, owner, keys)
	if err != nil {
		return nil, nil, err
	}
	for _, change := range changes {
		chunk := chunkOf(change.ID)
		if i, is := slices.BinarySearchFunc(idsOf(rows[rowKey{s.ID, chunkNumber(chunk)}]), change.ID, mailbox.ID.Compare); is {
			numbers = append(numbers, uint32(chunk*chunkIDs+i))
			known = append(known, change)
		}
	}
	return numbers, known, nil
}

// rewrite takes ordinals out of the blocks at some places, which increase, and adds others.
func rewrite(
	ctx context.Context, tx *sqlx.Tx, owner string, s *segment, d *directory, gone []uint32, places []int, added map[int]map[string][]uint32,
) error {
	keys := make([]rowKey, len(places))
	for i, place := range places {
		keys[i] = rowKey{s.ID, d.blocks[place].number}
	}
	rows, err := selectRows(ctx, tx, tx.Rebind, owner, keys)
	if err != nil {
		return err
	}
	erased := newOrdinals(d.documents)
	for _, number := range gone {
		erased[number/64] |= 1 << (number % 64)
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
	if err := saveBlocks(ctx, tx, owner, s.ID, saved); err != nil {
		return err
	}
	if err := deleteBlocks(ctx, tx, owner, s.ID, deleted); err != nil {
		return err
	}
	d.blocks = blocks
	_, err = tx.ExecContext(ctx, "UPDATE search_segments SET bytes = $1, edits = $2, directory = $3 WHERE owner = $4 AND last_id = $5",
		s.Bytes, s.Edits+1, d.encode(), owner, s.Last)
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
