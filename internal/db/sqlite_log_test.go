package db_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// TestLogInOnePiece runs transactions that do not fit into the cache, so that pages spill to the log
// before the commit and are replaced there, and rolls some of them back. After each one, SQLite with
// its default VFS must accept a copy of the file and its log as intact, also if commits are not synced.
func TestLogInOnePiece(t *testing.T) {
	t.Parallel()
	for _, synchronous := range []string{"FULL", "OFF"} {
		t.Run(synchronous, func(t *testing.T) {
			t.Parallel()
			testLogInOnePiece(t, synchronous)
		})
	}
}

func testLogInOnePiece(t *testing.T, synchronous string) {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	database, path := openPieces(t, synchronous)
	model := map[int]string{}
	for i := range 40 {
		err := database.Add(t.Context(), time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
			after, err := changePieces(ctx, tx, random, maps.Clone(model))
			model = after
			return err
		})
		if err != nil {
			t.Fatalf("seed %d, transaction %d: %v", seed, i, err)
		}
		found, err := readCopy(t, path)
		if err != nil || !maps.Equal(found, model) {
			t.Fatalf("seed %d, transaction %d: error %v, or other rows than were written", seed, i, err)
		}
	}
}

// openPieces opens a database whose writer has a cache of three pages.
func openPieces(t *testing.T, synchronous string) (*db.DB, string) {
	t.Helper()
	database, path := openLogged(t, make(lines, 10))
	store(t, database, "CREATE TABLE pieces (id INTEGER PRIMARY KEY, body TEXT NOT NULL)")
	for _, pragma := range []string{"cache_size = 3", "synchronous = " + synchronous} { // the latter only outside a transaction
		err := database.Statement(t.Context(), time.Minute, func(ctx context.Context, q sqlx.QueryerContext) error {
			rows, err := q.QueryxContext(ctx, "PRAGMA "+pragma)
			if err != nil {
				return err
			}
			defer rows.Close() //nolint:errcheck // it has at most one row
			return rows.Err()
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return database, path
}

// TestLogWithoutRolledBackFrames rolls a transaction back after some of its pages were spilled. They must
// not come into the log after it was truncated.
func TestLogWithoutRolledBackFrames(t *testing.T) {
	t.Parallel()
	database, path := openPieces(t, "FULL")
	for i := range 100 {
		spill(t, database, i)
		truncate(t, path)
		store(t, database, change)
		if size := logSize(t, path); size > 20*(2048+24) {
			t.Fatalf("after %d rows: the log has %d bytes", i, size)
		}
	}
}

// TestLogOfTwoWriters has another connection commit after a transaction was rolled back whose pages were spilled. They must
// not come into the log any more, where that commit is now: neither by a read of the first connection nor by its next commit.
func TestLogOfTwoWriters(t *testing.T) {
	t.Parallel()
	for _, next := range []string{"SELECT sum(length(body)) FROM pieces", change} {
		t.Run(next[:6], func(t *testing.T) {
			t.Parallel()
			database, path := openPieces(t, "FULL")
			other, err := sql.Open("sqlite", path)
			if err != nil {
				t.Fatal(err)
			}
			defer other.Close() //nolint:errcheck // what it did is seen below
			for i := range 20 {
				truncate(t, path) // otherwise a rollback reads pages from the log, which writes what is buffered
				spill(t, database, i)
				if _, err := other.ExecContext(t.Context(), "INSERT INTO pieces SELECT $1, hex(randomblob(12000))", i); err != nil {
					t.Fatal(err)
				}
				store(t, database, next)
				if found, err := readCopy(t, path); err != nil || len(found) != i+1 {
					t.Fatalf("%d rows instead of %d: %v", len(found), i+1, err)
				}
			}
		})
	}
}

// spill rolls back a transaction that has inserted that many rows, more than fit into the page cache.
func spill(t *testing.T, database *db.DB, rows int) {
	t.Helper()
	enough := errors.New("enough")
	err := database.Add(t.Context(), time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, `
			WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < $1)
			INSERT INTO pieces SELECT 1000 + i, hex(randomblob(2000)) FROM n`, rows)
		return errors.Join(err, enough)
	})
	if !errors.Is(err, enough) {
		t.Fatal(err)
	}
}

// truncate copies the log into the file and empties it, on a connection of its own.
func truncate(t *testing.T, path string) {
	t.Helper()
	other, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close() //nolint:errcheck // what it did is seen by the caller
	// It is busy while a checkpoint in the background reads its state.
	for busy, frames, copied := 1, 0, 0; busy != 0; {
		err = other.QueryRowContext(t.Context(), "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &copied)
		if err != nil {
			t.Fatal(err)
		}
	}
}

// changePieces writes rows, and rolls some of them back.
func changePieces(ctx context.Context, tx *sqlx.Tx, random *rand.Rand, model map[int]string) (map[int]string, error) {
	for range 1 + random.IntN(4) {
		if _, err := tx.ExecContext(ctx, "SAVEPOINT part"); err != nil {
			return nil, err
		}
		part := maps.Clone(model)
		for range random.IntN(30) {
			id, body := random.IntN(200), fmt.Sprintf("%0*d", 1+random.IntN(3000), random.Uint64())
			if _, err := tx.ExecContext(ctx, "INSERT OR REPLACE INTO pieces VALUES ($1, $2)", id, body); err != nil {
				return nil, err
			}
			part[id] = body
		}
		end := "RELEASE part"
		if random.IntN(3) == 0 {
			end = "ROLLBACK TO part; RELEASE part"
		} else {
			model = part
		}
		if _, err := tx.ExecContext(ctx, end); err != nil {
			return nil, err
		}
	}
	return model, nil
}

// readCopy reads a copy of a database and its log with SQLite's default VFS.
func readCopy(t *testing.T, path string) (map[int]string, error) {
	t.Helper()
	copied := filepath.Join(t.TempDir(), "copy.db")
	for before, log := []byte(nil), []byte("unread"); !bytes.Equal(before, log); { // otherwise the two files may be from before and after a checkpoint
		before = log
		file, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		if log, err = os.ReadFile(path + "-wal"); err != nil {
			return nil, err
		}
		if err := errors.Join(os.WriteFile(copied, file, 0o600), os.WriteFile(copied+"-wal", log, 0o600)); err != nil {
			return nil, err
		}
	}
	other, err := sql.Open("sqlite", copied)
	if err != nil {
		return nil, err
	}
	defer other.Close() //nolint:errcheck // it is a copy
	var sound string
	if err := other.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&sound); err != nil || sound != "ok" {
		return nil, fmt.Errorf("integrity_check: %s, %w", sound, err)
	}
	rows, err := other.QueryContext(t.Context(), "SELECT id, body FROM pieces")
	if err != nil {
		return nil, err
	}
	defer rows.Close() //nolint:errcheck // it is read to its end
	found := map[int]string{}
	for rows.Next() {
		var id int
		var body string
		if err := rows.Scan(&id, &body); err != nil {
			return nil, err
		}
		found[id] = body
	}
	return found, rows.Err()
}

// TestLogStaysSmall writes as fast as it can, until the log is overwritten from its beginning, and checks the size of the log,
// with several page sizes.
func TestLogStaysSmall(t *testing.T) {
	t.Parallel()
	for _, pageSize := range []int{2048, 4096, 65536} {
		t.Run(fmt.Sprint(pageSize), func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "test.db")
			makePaged(t, path, pageSize)
			database := dbtest.Open(t, "sqlite:"+path)
			if _, err := database.Migrate(t.Context(), "search"); err != nil {
				t.Fatal(err)
			}
			largest := int64(0)
			for same := 0; same < 20; same++ { // commits since the log has grown
				err := database.Add(t.Context(), time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
					_, err := tx.ExecContext(ctx, `
						WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 19)
						INSERT INTO messages (recipient, id, sender, text)
						SELECT 'bob', randomblob(16), 'alice', hex(zeroblob(25000)) FROM n`)
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
				if size := logSize(t, path); size > largest {
					largest, same = size, 0
				}
				if largest > 256<<20 {
					t.Fatalf("the log has %d bytes", largest)
				}
			}
			t.Logf("at most %d MB", largest>>20)
		})
	}
}

// TestPageSize checks the size of the pages of a new file, and that a file that exists keeps its own.
func TestPageSize(t *testing.T) {
	t.Parallel()
	existing := filepath.Join(t.TempDir(), "test.db")
	makePaged(t, existing, 4096)
	for url, want := range map[string]int{dbtest.NewURL(t, db.SQLite): 2048, "sqlite:" + existing: 4096} {
		database := dbtest.Open(t, url)
		if _, err := database.Migrate(t.Context(), "search"); err != nil {
			t.Fatal(err)
		}
		var size int
		err := database.Read(t.Context(), func(ctx context.Context, q sqlx.QueryerContext) error {
			return sqlx.GetContext(ctx, q, &size, "PRAGMA page_size")
		})
		if err != nil || size != want {
			t.Errorf("pages of %d bytes instead of %d: %v", size, want, err)
		}
	}
}

// makePaged makes a SQLite database with that page size.
func makePaged(t *testing.T, path string, pageSize int) {
	t.Helper()
	made, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer made.Close() //nolint:errcheck // whether it was made is seen below
	var found int
	err = made.QueryRowContext(t.Context(), fmt.Sprintf("PRAGMA page_size = %d; VACUUM; PRAGMA page_size", pageSize)).Scan(&found)
	if err != nil || found != pageSize {
		t.Fatalf("pages of %d bytes: %v", found, err)
	}
}
