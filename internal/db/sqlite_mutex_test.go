package db

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/jmoiron/sqlx"
)

// TestMutexes checks that SQLite makes mutexes of ours for a file, and frees them when it is closed. Tests that use SQLite beside
// each other come after it.
func TestMutexes(t *testing.T) {
	count := func() int {
		mutexes.Lock()
		defer mutexes.Unlock()
		return len(mutexes.dynamic)
	}
	before := count()
	opened, err := Open("sqlite:"+filepath.Join(t.TempDir(), "store.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	err = opened.Tx(t.Context(), readTimeout, func(ctx context.Context, tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, "CREATE TABLE t (n)")
		return err
	})
	if during := count(); err != nil || during <= before {
		t.Errorf("%d mutexes before a file was opened, and then %d; the error is %v", before, during, err)
	}
	if err := opened.Close(); err != nil {
		t.Fatal(err)
	}
	if after := count(); after != before {
		t.Errorf("%d mutexes before a file was opened, and %d after it was closed", before, after)
	}
}
