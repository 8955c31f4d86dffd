package db

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// TestWipedLater erases beside a read that keeps the log from being wiped: it is wiped once the read has ended, though it is short and
// nothing is written meanwhile.
func TestWipedLater(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "store.db")
	database, err := Open("sqlite:"+path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer database.Close() //nolint:errcheck // the test is over
	own := database.sqlite
	own.stop()
	<-own.ended
	if _, err := own.writer.ExecContext(t.Context(), "CREATE TABLE x (y)"); err != nil {
		t.Fatal(err)
	}
	reader, err := database.read.BeginTx(t.Context(), nil)
	if err == nil {
		err = reader.QueryRowContext(t.Context(), "SELECT count(*) FROM x").Scan(new(int))
	}
	if err != nil {
		t.Fatal(err)
	}
	attempt := func(again, wiped bool) {
		t.Helper()
		own.failed, own.wiped = time.Time{}, time.Time{} // long ago
		is := own.run(t.Context())
		info, err := os.Stat(path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		if is != again || (info.Size() == 0) != wiped {
			t.Errorf("to be wiped again: %t, want %t; the log has %d bytes", is, again, info.Size())
		}
	}
	own.erased.Store(true)
	attempt(true, false)
	if err := reader.Rollback(); err != nil {
		t.Fatal(err)
	}
	attempt(false, true)
}
