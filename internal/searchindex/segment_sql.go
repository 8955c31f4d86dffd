package searchindex

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/mailbox"
)

// errStale says that a segment was merged or changed since it was read.
var errStale = errors.New("a segment has changed meanwhile")

const segmentColumns = "segment, first_id, last_id, version, bytes, edits, directory"

// selectSegments returns up to limit segments of an owner that have ids from low to below high: the
// newest first, or the oldest if upward.
func selectSegments(ctx context.Context, q sqlx.QueryerContext, owner string, low, high mailbox.ID, upward bool, limit int) ([]segment, error) {
	direction := "DESC"
	if upward {
		direction = "ASC"
	}
	var found []segment
	err := sqlx.SelectContext(ctx, q, &found, `
		SELECT `+segmentColumns+` FROM search_segments
		WHERE owner = $1 AND last_id >= $2 AND first_id < $3 ORDER BY last_id `+direction+` LIMIT $4`, owner, low, high, limit)
	if err != nil {
		return nil, fmt.Errorf("select segments: %w", err)
	}
	return found, nil
}

// rowKey is the key of a row of a segment: a block, or a chunk of ids.
type rowKey struct {
	Segment mailbox.ID `db:"segment"`
	Number  int        `db:"number"`
}

// maxRowsRead is how many rows one statement reads.
const maxRowsRead = 500

// selectRows returns rows of segments. If one is missing, the error is errStale.
func selectRows(ctx context.Context, q sqlx.QueryerContext, rebind func(string) string, owner string, keys []rowKey) (map[rowKey][]byte, error) {
	slices.SortFunc(keys, func(a, b rowKey) int { return cmp.Or(a.Segment.Compare(b.Segment), cmp.Compare(a.Number, b.Number)) })
	keys = slices.Compact(keys)
	rows := make(map[rowKey][]byte, len(keys))
	for part := range slices.Chunk(keys, maxRowsRead) {
		args := make([]any, 0, 1+2*len(part))
		args = append(args, owner)
		for _, key := range part {
			args = append(args, key.Segment, key.Number)
		}
		var found []struct {
			rowKey

			Data []byte `db:"data"`
		}
		// The first row of the values matches nothing: it gives the columns their types in Postgres.
		err := sqlx.SelectContext(ctx, q, &found, rebind(`
			SELECT segment, number, data FROM search_blocks WHERE owner = ? AND (segment, number) IN (VALUES (`+typed+`), `+
			db.RowsOf(len(part), "(?,?)")+`)`), args...)
		if err != nil {
			return nil, fmt.Errorf("select blocks: %w", err)
		}
		if len(found) < len(part) {
			return nil, errStale
		}
		for _, row := range found {
			rows[row.rowKey] = row.Data
		}
	}
	return rows, nil
}

// typed are two values that are null, of the types of the columns segment and number.
const typed = "(SELECT segment FROM search_blocks LIMIT 0), (SELECT number FROM search_blocks LIMIT 0)"

// selectContent returns all rows of a segment.
func selectContent(ctx context.Context, q sqlx.QueryerContext, owner string, s *segment) (c content, err error) {
	d, err := decodeDirectory(s.Directory)
	if err != nil {
		return c, err
	}
	var found []struct {
		Number int    `db:"number"`
		Data   []byte `db:"data"`
	}
	err = sqlx.SelectContext(ctx, q, &found, "SELECT number, data FROM search_blocks WHERE owner = $1 AND segment = $2", owner, s.ID)
	if err != nil {
		return c, fmt.Errorf("select a segment: %w", err)
	}
	rows := make(map[int][]byte, len(found))
	for _, row := range found {
		rows[row.Number] = row.Data
	}
	for i := range d.chunks {
		c.ids = append(c.ids, idsOf(rows[chunkNumber(i)])...)
	}
	c.blocks = d.blocks
	for i := range c.blocks {
		if c.blocks[i].data = rows[c.blocks[i].number]; c.blocks[i].data == nil {
			return c, errStale
		}
	}
	if len(c.ids) != d.documents {
		return c, errStale
	}
	return c, nil
}

// idsOf reads a chunk of ids.
func idsOf(data []byte) []mailbox.ID {
	ids := make([]mailbox.ID, len(data)/len(mailbox.ID{}))
	for i := range ids {
		copy(ids[i][:], data[i*len(mailbox.ID{}):])
	}
	return ids
}

// insertSegment stores a segment.
func insertSegment(ctx context.Context, tx *sqlx.Tx, owner string, s segment, c content) error {
	_, err := tx.ExecContext(ctx, tx.Rebind(`
		INSERT INTO search_segments (owner, `+segmentColumns+`) VALUES (?,?,?,?,?,?,?,?)`),
		owner, s.ID, s.First, s.Last, s.Version, s.Bytes, s.Edits, s.Directory)
	if err != nil {
		return fmt.Errorf("insert a segment: %w", err)
	}
	rows := c.blocks
	for i := 0; i < len(c.ids); i += chunkIDs {
		var data []byte
		for _, id := range c.ids[i:min(i+chunkIDs, len(c.ids))] {
			data = append(data, id[:]...)
		}
		rows = append(rows, block{number: chunkNumber(i / chunkIDs), data: data})
	}
	return saveBlocks(ctx, tx, owner, s.ID, rows)
}

// saveBlocks inserts or replaces rows of a segment.
func saveBlocks(ctx context.Context, tx *sqlx.Tx, owner string, segment mailbox.ID, blocks []block) error {
	for part := range slices.Chunk(blocks, 100) {
		args := make([]any, 0, 4*len(part))
		for _, b := range part {
			args = append(args, owner, segment, b.number, b.data)
		}
		_, err := tx.ExecContext(ctx, tx.Rebind(`
			INSERT INTO search_blocks (owner, segment, number, data) VALUES `+db.RowsOf(len(part), "(?,?,?,?)")+`
			ON CONFLICT (owner, segment, number) DO UPDATE SET data = excluded.data`), args...)
		if err != nil {
			return fmt.Errorf("save blocks: %w", err)
		}
	}
	return nil
}

// deleteBlocks deletes rows of a segment.
func deleteBlocks(ctx context.Context, tx *sqlx.Tx, owner string, segment mailbox.ID, numbers []int) error {
	for _, number := range numbers {
		if _, err := tx.ExecContext(ctx, "DELETE FROM search_blocks WHERE owner = $1 AND segment = $2 AND number = $3", owner, segment, number); err != nil {
			return fmt.Errorf("delete a block: %w", err)
		}
	}
	return nil
}

// deleteSegments deletes segments with all their rows.
func deleteSegments(ctx context.Context, tx *sqlx.Tx, owner string, segments []segment) error {
	for _, s := range segments {
		if _, err := tx.ExecContext(ctx, tx.Rebind("DELETE FROM search_blocks WHERE owner = ? AND segment = ?"), owner, s.ID); err != nil {
			return fmt.Errorf("delete blocks: %w", err)
		}
		if _, err := tx.ExecContext(ctx, tx.Rebind("DELETE FROM search_segments WHERE owner = ? AND last_id = ?"), owner, s.Last); err != nil {
			return fmt.Errorf("delete a segment: %w", err)
		}
	}
	return nil
}
