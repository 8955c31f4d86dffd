package db

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/jmoiron/sqlx"
	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"
)

// TestGreatestPage inserts rows at random places, so that pages are split and swapped, and checks that no cache has then a
// greatest page beyond the end of the file.
func TestGreatestPage(t *testing.T) {
	usual, caches, greatestTo := renumberUsual, map[uintptr]bool{}, uint32(0)
	defer func() { renumberUsual = usual }()
	renumberUsual = func(tls *libc.TLS, cache, page uintptr, from, to uint32) {
		caches[cache], greatestTo = true, max(greatestTo, to)
		usual(tls, cache, page, from, to)
	}
	opened, err := Open("sqlite:"+filepath.Join(t.TempDir(), "store.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	err = opened.Tx(t.Context(), readTimeout, func(ctx context.Context, tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, `
			CREATE TABLE t (key BLOB PRIMARY KEY) WITHOUT ROWID;
			WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
			INSERT INTO t SELECT randomblob(100) FROM n`)
		if err != nil {
			return err
		}
		var pages uint32
		if err := tx.GetContext(ctx, &pages, "PRAGMA page_count"); err != nil {
			return err
		}
		if greatestTo <= pages {
			t.Errorf("of %d pages none had a number beyond them meanwhile", pages)
		}
		for cache := range caches { // the commit sets it anew
			if greatest := at[sqlite3.TPCache1](cache).FiMaxKey; greatest > pages {
				t.Errorf("the greatest of %d pages is %d", pages, greatest)
			}
		}
		return nil
	})
	if err := errors.Join(err, opened.Close()); err != nil {
		t.Fatal(err)
	}
}
