package db_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// lines is a writer for logs whose lines a test can wait for.
type lines chan string

func (l lines) Write(line []byte) (int, error) {
	l <- string(line)
	return len(line), nil
}

// wait returns the next line, or fails the test after the limit.
func (l lines) wait(t *testing.T, limit time.Duration) string {
	t.Helper()
	select {
	case line := <-l:
		return line
	case <-time.After(limit):
		t.Fatal("the log says nothing")
		return ""
	}
}

// openLogged opens and migrates a new SQLite database.
func openLogged(t *testing.T, log lines) (*db.DB, string) {
	t.Helper()
	url := dbtest.NewURL(t, db.SQLite)
	database := dbtest.Connect(t, url, db.Options{Log: slog.New(slog.NewTextHandler(log, nil))})
	if _, err := database.Migrate(t.Context(), "search"); err != nil {
		t.Fatal(err)
	}
	return database, strings.TrimPrefix(url, "sqlite:")
}

const change = "INSERT INTO conversations (owner, peer, last_message_id) VALUES ('a', 'b', randomblob(16)) ON CONFLICT DO UPDATE SET last_message_id = excluded.last_message_id"

func store(t *testing.T, database *db.DB, statement string, args ...any) {
	t.Helper()
	err := database.Tx(context.WithoutCancel(t.Context()), time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, statement, args...)
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// contains reports whether a word is in the database file or its write-ahead log.
func contains(t *testing.T, path, word string) bool {
	t.Helper()
	for _, name := range []string{path, path + "-wal"} {
		content, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(content, []byte(word)) {
			return true
		}
	}
	return false
}

func logSize(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path + "-wal")
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

// TestCloseErases closes a database, which another connection has open, soon after an erasure:
// nothing of the erased data is left in the log.
func TestCloseErases(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	other := dbtest.Open(t, "sqlite:"+path)
	if _, err := other.Migrate(t.Context(), "search"); err != nil {
		t.Fatal(err)
	}
	database, err := db.Open("sqlite:"+path, db.Options{})
	if err != nil {
		t.Fatal(err)
	}
	store(t, database, change)
	for start := time.Now(); logSize(t, path) > 0; {
		if time.Since(start) > time.Minute {
			t.Fatal("the log is not emptied")
		}
	}
	store(t, database, change) // within wipeInterval, so the log is not truncated before Close
	if err := database.Close(); err != nil {
		t.Fatal(err)
	}
	if size := logSize(t, path); size != 0 {
		t.Errorf("the log has %d bytes", size)
	}
}

// TestLogInUse has another connection read in one transaction: erased data stays in the log, which
// is reported once, and so is its end. Writes succeed meanwhile.
func TestLogInUse(t *testing.T) {
	t.Parallel()
	log := make(lines, 10)
	database, path := openLogged(t, log)
	other, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close() //nolint:errcheck // the test is over
	store(t, database, change)
	tx, err := other.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback() //nolint:errcheck // it was ended before, unless the test failed
	var n int
	if err := tx.QueryRowContext(t.Context(), "SELECT count(*) FROM conversations").Scan(&n); err != nil {
		t.Fatal(err)
	}
	store(t, database, change)
	if line := log.wait(t, time.Minute); !strings.Contains(line, "level=WARN") || !strings.Contains(line, "another process reads") {
		t.Errorf("it says %s", line)
	}
	store(t, database, change)
	if logSize(t, path) == 0 {
		t.Error("the log is empty during another connection's transaction")
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	if line := log.wait(t, time.Minute); !strings.Contains(line, "level=INFO") || !strings.Contains(line, "could be emptied again") {
		t.Errorf("it says %s", line)
	}
	if size := logSize(t, path); size != 0 {
		t.Errorf("the log has %d bytes", size)
	}
	if len(log) > 0 {
		t.Errorf("it also says %s", <-log)
	}
}

// TestOthersCheckpoint has another connection write and make checkpoints all the time, which must
// not count as overwriting the store.
func TestOthersCheckpoint(t *testing.T) {
	t.Parallel()
	log := make(lines, 10)
	database, path := openLogged(t, log)
	other, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(10000)&_pragma=wal_autocheckpoint(1)")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close() //nolint:errcheck // the test is over
	store(t, database, "CREATE TABLE x (y)")
	for _, mode := range []string{"PASSIVE", "FULL", "RESTART", "TRUNCATE"} {
		var writer sync.WaitGroup
		writer.Go(func() {
			for range 50 {
				if _, err := other.ExecContext(t.Context(), "INSERT INTO x VALUES (randomblob(20000)); PRAGMA wal_checkpoint("+mode+")"); err != nil {
					t.Error(err)
				}
			}
		})
		for range 50 {
			store(t, database, "INSERT INTO x VALUES (randomblob(20000))")
			if err := database.Intact(); err != nil {
				t.Fatal(err)
			}
		}
		writer.Wait()
	}
	for len(log) > 0 { // it may report, truly, that another connection uses the log
		if line := <-log; strings.Contains(line, "overwritten") {
			t.Errorf("it says %s", line)
		}
	}
}

// TestReadsDoNotKeepTheLog has reads overlap without a gap. Deleted data must be gone from all files
// within five seconds nevertheless: of a bubble, since the disk takes as long as it likes.
func TestReadsDoNotKeepTheLog(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		log := make(lines, 10)
		database, path := openLogged(t, log)
		for _, user := range []string{"a", "b"} {
			store(t, database, "INSERT INTO conversations (owner, peer, last_message_id) VALUES ($1, $1, x'00')", user)
		}
		ctx, stop := context.WithCancel(t.Context())
		var readers sync.WaitGroup
		for i := range 3 {
			readers.Go(func() {
				<-time.After(time.Duration(i) * readPause / 3) // so that no two end at a time
				for ctx.Err() == nil {
					if err := database.Read(context.WithoutCancel(ctx), readForLong); err != nil {
						t.Error(err)
					}
				}
			})
		}
		for i := range 2 {
			secret := fmt.Sprint("zqxsecretword", i)
			store(t, database, "INSERT INTO conversations (owner, peer, last_message_id) VALUES ($1, 'b', x'00')", secret)
			store(t, database, "DELETE FROM conversations WHERE owner = $1", secret)
			start := time.Now()
			for contains(t, path, secret) && time.Since(start) < 30*time.Second {
				store(t, database, change) // other writes go on
				<-time.After(50 * time.Millisecond)
			}
			t.Logf("gone after %s", time.Since(start))
			if time.Since(start) > 5*time.Second {
				t.Errorf("the deleted word is gone only after %s", time.Since(start))
			}
		}
		stop()
		readers.Wait()
		if len(log) > 0 {
			t.Errorf("it says %s", <-log)
		}
	})
}

const readPause = 150 * time.Millisecond

// readForLong pauses between two rows.
func readForLong(ctx context.Context, q sqlx.QueryerContext) error {
	rows, err := q.QueryxContext(ctx, "SELECT owner FROM conversations")
	if err != nil {
		return err
	}
	defer rows.Close() //nolint:errcheck // it is not read to its end
	if !rows.Next() {
		return errors.New("there is nothing to read")
	}
	<-time.After(readPause)
	return rows.Err()
}
