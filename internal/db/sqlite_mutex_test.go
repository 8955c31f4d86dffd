package db

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/jmoiron/sqlx"
	sqlite3 "modernc.org/sqlite/lib"
)

// TestMutexes checks which mutexes exclude each other.
func TestMutexes(t *testing.T) {
	fast, other := newMutex(nil, sqlite3.SQLITE_MUTEX_FAST), newMutex(nil, sqlite3.SQLITE_MUTEX_FAST)
	defer freeMutex(nil, fast)
	defer freeMutex(nil, other)
	static := newMutex(nil, sqlite3.SQLITE_MUTEX_STATIC_VFS3)
	if newMutex(nil, sqlite3.SQLITE_MUTEX_STATIC_VFS3) != static || newMutex(nil, sqlite3.SQLITE_MUTEX_STATIC_VFS2) == static {
		t.Error("it is not one static mutex for each kind")
	}
	for _, one := range []uintptr{fast, static} {
		lockMutex(nil, one)
		if tryMutex(nil, one) != sqlite3.SQLITE_BUSY {
			t.Error("a mutex is entered twice")
		}
		if tryMutex(nil, other) != sqlite3.SQLITE_OK {
			t.Error("a mutex keeps others from being entered")
		}
		unlockMutex(nil, other)
		unlockMutex(nil, one)
		if tryMutex(nil, one) != sqlite3.SQLITE_OK {
			t.Error("a mutex is not left")
		}
		unlockMutex(nil, one)
	}
	recursive := newMutex(nil, sqlite3.SQLITE_MUTEX_RECURSIVE)
	lockMutex(nil, recursive)
	if tryMutex(nil, recursive) != sqlite3.SQLITE_OK {
		t.Error("a recursive mutex is not entered twice")
	}
	unlockMutex(nil, recursive)
	unlockMutex(nil, recursive)
}

// TestMutexes checks that SQLite makes mutexes of ours for a file, and frees them when it is closed. Tests that use SQLite beside
// each other come after it.
func TestMutexesOfFile(t *testing.T) {
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
