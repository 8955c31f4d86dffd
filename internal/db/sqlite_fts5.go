package db

import (
	"context"
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/jmoiron/sqlx"
	"modernc.org/sqlite"
)

// FTS5, SQLite's full-text index, removes a word from its page when the last row with it is erased,
// but keeps it in two more places, from which [fts5Pages.erase] removes it. Both are described in
// https://www.sqlite.org/src/file/ext/fts5/fts5_index.c. The index consists of segments, and those
// of leaf pages, which are rows of the table NAME_data.
//
//   - NAME_idx has a separator term for each page of a segment but the first: greater than all terms
//     before the page, and not greater than its first one. FTS5 takes a prefix of the page's first
//     term at the time, or the whole term, and keeps it when that term is erased. The term that is
//     then the first one is a valid separator, too.
//   - An unfinished merge has copied the terms of some pages to another segment, and removes words
//     only there. It deletes the pages it has read, but not their separators, and not the pages of
//     segments that it has read to the end. None of these is ever read again.

// fts5Indexes are the full-text indexes of a database by name.
type fts5Indexes map[string]fts5Pages

// fts5Pages are the ids of an index's leaf pages that a transaction has written.
type fts5Pages map[int64]bool

// The id of a leaf page in NAME_data is made of its segment and its number. The six bits between the
// two are 0 only for leaf pages. Other records have smaller ids, without a segment.
const (
	segmentShift = 37
	numberBits   = 31
	structureID  = 10 // of the record that lists the segments
)

func pageID(segment, number int64) int64 { return segment<<segmentShift + number }

// find adds all full-text indexes of the database.
func (x fts5Indexes) find(ctx context.Context, tx *sqlx.Tx) error {
	var names []string
	err := tx.SelectContext(ctx, &names, "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE $1", "CREATE VIRTUAL TABLE % USING fts5%")
	for _, name := range names {
		x[name] = fts5Pages{}
	}
	return err
}

// note records the leaf page of a row that is about to be written, if it is one.
func (x fts5Indexes) note(row sqlite.SQLitePreUpdateData) {
	name, isData := strings.CutSuffix(row.TableName, "_data")
	id := row.NewRowID
	if isData && x[name] != nil && id>>segmentShift > 0 && id>>numberBits&(1<<(segmentShift-numberBits)-1) == 0 {
		x[name][id] = true
	}
}

// cleanly is [once] for a transaction that may erase: no erased word stays in a full-text index.
func cleanly(ctx context.Context, pool *sqlx.DB, options *sql.TxOptions, fn func(context.Context, *sqlx.Tx) error) error {
	conn, err := pool.Connx(ctx)
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer conn.Close() //nolint:errcheck // it goes back to the pool
	hook := func(note sqlite.PreUpdateHookFn) error {
		return conn.Raw(func(raw any) error {
			raw.(*preparedConn).engineConn.(fileConn).engineConn.(sqlite.HookRegisterer).RegisterPreUpdateHook(note)
			return nil
		})
	}
	indexes := fts5Indexes{}
	if err := hook(indexes.note); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer hook(nil) //nolint:errcheck // it fails only on a broken connection, which is closed anyway
	return once(ctx, conn, options, func(ctx context.Context, tx *sqlx.Tx) error {
		if err := indexes.find(ctx, tx); err != nil {
			return fmt.Errorf("find full-text indexes: %w", err)
		}
		if err := fn(ctx, tx); err != nil {
			return err
		}
		for name, pages := range indexes {
			if err := pages.erase(ctx, tx, name); err != nil {
				return fmt.Errorf("take words out of the full-text index %s: %w", name, err)
			}
		}
		return nil
	})
}

// in replaces INDEX by the name of an index in a statement.
func in(index, statement string) string {
	return strings.ReplaceAll(statement, "INDEX", strings.ReplaceAll(index, `"`, `""`))
}

// erase removes the words from an index that were on the pages and are in no row any more.
func (p fts5Pages) erase(ctx context.Context, tx *sqlx.Tx, index string) error {
	// Without a flush, FTS5 would remove the words from the pages only at the commit.
	if _, err := tx.ExecContext(ctx, in(index, `INSERT INTO "INDEX" ("INDEX") VALUES ('flush')`)); err != nil {
		return err
	}
	if err := p.eraseMerged(ctx, tx, index); err != nil {
		return fmt.Errorf("erase what a merge has left: %w", err)
	}
	ids := make([]int64, 0, len(p))
	for id := range p {
		ids = append(ids, id)
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return err
	}
	var moved []struct {
		Segment          int64 `db:"segment"`
		Separator, First []byte
	}
	err = tx.SelectContext(ctx, &moved, in(index, `
		WITH pages AS MATERIALIZED (
			SELECT value >> 37 AS segment, value & 0x7fffffff AS number, fts5_first_term(block) AS first
			FROM json_each($1) CROSS JOIN "INDEX_data" AS data ON data.id = value
		)
		SELECT segment, term AS separator, first FROM pages CROSS JOIN "INDEX_idx" ON segid = segment AND term = (
			SELECT term FROM "INDEX_idx" WHERE segid = segment AND term <= first ORDER BY term DESC LIMIT 1
		)
		WHERE pgno >> 1 = number AND substr(first, 1, length(term)) <> term`), string(list))
	for _, page := range moved {
		if err == nil {
			_, err = tx.ExecContext(ctx, in(index, `UPDATE "INDEX_idx" SET term = $1 WHERE segid = $2 AND term = $3`), page.First, page.Segment, page.Separator)
		}
	}
	if err != nil {
		return fmt.Errorf("replace the separators of pages: %w", err)
	}
	return nil
}

// eraseMerged deletes what an unfinished merge has already read, and adds to p the pages with which
// it will continue.
func (p fts5Pages) eraseMerged(ctx context.Context, tx *sqlx.Tx, index string) error {
	var structure []byte
	if err := tx.GetContext(ctx, &structure, in(index, `SELECT block FROM "INDEX_data" WHERE id = $1`), structureID); err != nil {
		return err
	}
	for _, s := range segmentsOf(structure) {
		if s.first == 1 {
			continue
		}
		if s.first == 0 { // the merge has read the whole segment
			_, err := tx.ExecContext(ctx, in(index, `DELETE FROM "INDEX_data" WHERE id >= $1 AND id < $2`), pageID(s.segment, 0), pageID(s.segment+1, 0))
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, in(index, `DELETE FROM "INDEX_idx" WHERE segid = $1`), s.segment); err != nil {
				return err
			}
			continue
		}
		p[pageID(s.segment, s.first)] = true
		_, err := tx.ExecContext(ctx, in(index, `
			DELETE FROM "INDEX_idx" WHERE segid = $1 AND pgno < $2 << 1 AND term < coalesce((
				SELECT term FROM "INDEX_idx" WHERE segid = $1 AND pgno >= $2 << 1 ORDER BY term LIMIT 1
			), X'FF')`), s.segment, s.first)
		if err != nil {
			return err
		}
	}
	return nil
}

// firstTerm returns the first term on a leaf page, or nil. A page begins with two 16-bit numbers, of
// which the second is the offset of its footer. The footer begins with the offset of the first term,
// which is preceded by its length.
func firstTerm(page []byte) []byte {
	if len(page) < 4 {
		return nil
	}
	footer := fields(page).from(int64(binary.BigEndian.Uint16(page[2:])))
	place, ok := footer.number()
	if !ok {
		return nil
	}
	term := fields(page).from(place)
	length, ok := term.number()
	if !ok || length > int64(len(term)) {
		return nil
	}
	return term[:length]
}

// pagesLeft is the first page of a segment that a merge has not read: 1 if the segment is not being
// merged, 0 if the merge has read all of it.
type pagesLeft struct{ segment, first int64 }

// segmentsOf parses the structure record. After four bytes it has the number of levels, the number of
// segments, and a write counter. For each level it has the number of segments being merged, the
// number of segments, and for each segment its id, first page and last page.
func segmentsOf(structure []byte) (segments []pagesLeft) {
	record := fields(structure).from(4)
	levels, _ := record.number()
	_, _ = record.number()
	_, _ = record.number()
	for range levels {
		_, _ = record.number()
		count, ok := record.number()
		for ; ok && count > 0; count-- {
			var s pagesLeft
			s.segment, _ = record.number()
			s.first, _ = record.number()
			if _, ok = record.number(); ok {
				segments = append(segments, s)
			}
		}
	}
	return segments
}

// fields is the unread rest of a record.
type fields []byte

// from returns the rest that begins at an offset, or nil.
func (f fields) from(offset int64) fields {
	if offset < 0 || offset > int64(len(f)) {
		return nil
	}
	return f[offset:]
}

// number reads a varint of SQLite: seven bits in each byte, the highest ones first. It reports
// whether there is one.
func (f *fields) number() (value int64, ok bool) {
	for i, b := range *f {
		value = value<<7 | int64(b&0x7f)
		if b < 0x80 || i == 8 {
			*f = (*f)[i+1:]
			return value, true
		}
	}
	return 0, false
}
