package db_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for _, url := range []string{"", "mysql://localhost/x", "message-service.db", "sqlite:", "sqlite::memory:", "postgres://localhost:port/x", "postgres://localhost/x?sslmode=maybe", "sqlite:/nowhere/x.db"} {
		if database, err := db.Open(url, db.Options{MaxConnections: 2}); err == nil {
			t.Errorf("opened %q: %v", url, database.Close())
		}
	}
}

// TestMigrateAtOnce starts several replicas on an empty database at the same time.
func TestMigrateAtOnce(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		url := dbtest.NewURL(t, engine)
		var mu sync.Mutex
		applied := 0
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				database, err := db.Open(url, db.Options{MaxConnections: 2})
				if err != nil {
					t.Error(err)
					return
				}
				defer database.Close() //nolint:errcheck // the test is about the migration
				names, err := database.Migrate(context.WithoutCancel(t.Context()))
				if err != nil {
					t.Errorf("migrate: %v", err)
				}
				mu.Lock()
				defer mu.Unlock()
				applied += len(names)
			})
		}
		wg.Wait()
		database := dbtest.Open(t, url)
		steps, err := database.MigrationStatus(t.Context())
		if err != nil || len(steps) == 0 || applied < len(steps) {
			t.Fatalf("%d of %d steps applied: %v", applied, len(steps), err)
		}
		for _, step := range steps {
			if step.Applied.IsZero() {
				t.Errorf("%s is pending", step.Name)
			}
		}
		if names, err := database.Migrate(t.Context()); err != nil || len(names) != 0 {
			t.Errorf("migrated again: %v %v", names, err)
		}
	})
}

// TestTx checks that a transaction commits or rolls back by its function alone, even if the
// caller's context is cancelled.
func TestTx(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		database := dbtest.Open(t, dbtest.NewURL(t, engine))
		insert := func(user string, end func(cancel func()) error) (err error) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			defer func() {
				if recover() != nil {
					err = errors.New("panic")
				}
			}()
			return database.Tx(ctx, time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
				if _, err := tx.ExecContext(ctx, "INSERT INTO conversations (owner, peer, last_message_id) VALUES ($1, $1, $2)", user, make([]byte, 16)); err != nil {
					return err
				}
				return end(cancel)
			})
		}
		for user, end := range map[string]func(cancel func()) error{
			"kept":      func(func()) error { return nil },
			"cancelled": func(cancel func()) error { cancel(); return nil },
			"failed":    func(func()) error { return errors.New("no") },
			"panicked":  func(func()) error { panic("no") },
		} {
			err := insert(user, end)
			var stored int
			readErr := database.Read(t.Context(), func(ctx context.Context, q sqlx.QueryerContext) error {
				return sqlx.GetContext(ctx, q, &stored, "SELECT count(*) FROM conversations WHERE owner = $1", user)
			})
			if want := user == "kept" || user == "cancelled"; readErr != nil || (err == nil) != want || (stored == 1) != want {
				t.Errorf("%s: %v, %d stored (%v)", user, err, stored, readErr)
			}
		}
	})
}

// TestPostgresSettings checks that settings of a user or database cannot weaken the service's
// promises: it refuses synchronous_commit=off, and sets the isolation level itself.
func TestPostgresSettings(t *testing.T) {
	t.Parallel()
	url := dbtest.NewURL(t, db.Postgres)
	if err := dbtest.Open(t, url).Check(t.Context()); err != nil {
		t.Errorf("the default settings: %v", err)
	}
	err := dbtest.Open(t, url+"&synchronous_commit=off").Check(t.Context())
	if err == nil || !strings.Contains(err.Error(), "synchronous_commit") {
		t.Errorf("synchronous_commit=off: %v", err)
	}
	var level string
	err = dbtest.Open(t, url+"&default_transaction_isolation=serializable").Tx(t.Context(), time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
		return tx.GetContext(ctx, &level, "SHOW transaction_isolation")
	})
	if err != nil || level != "read committed" {
		t.Errorf("default_transaction_isolation=serializable: a transaction is %q (%v)", level, err)
	}
}

// TestCloseWithoutPostgres closes a database whose idle connections have lost their server: that loses nothing.
func TestCloseWithoutPostgres(t *testing.T) {
	t.Parallel()
	url, restart := dbtest.NewServer(t)
	database, err := db.Open(url, db.Options{MaxConnections: 2})
	if err != nil {
		t.Fatal(err)
	}
	err = database.Tx(t.Context(), time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, "SELECT 1") // leaves a connection idle
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	restart()
	if err := database.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

// TestSQLitePath opens files whose names have characters that are special in a URL.
func TestSQLitePath(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	for _, name := range []string{"a b.db", "50%.db", "what?.db", "#1.db", "ü.db", "a&_synchronous=OFF.db"} {
		database := dbtest.Open(t, "sqlite:"+filepath.Join(directory, name))
		if err := database.Check(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		found, err := filepath.Glob(filepath.Join(directory, strings.NewReplacer("?", "\\?").Replace(name)))
		if err != nil || len(found) != 1 {
			t.Errorf("%s is not on disk: %v %v", name, found, err)
		}
	}
}

// TestSQLiteAutoVacuum has another connection switch auto_vacuum on: from then on the file has
// pages that must not be scrubbed.
func TestSQLiteAutoVacuum(t *testing.T) {
	t.Parallel()
	database, path := openLogged(t, make(lines, 10))
	store(t, database, "CREATE TABLE x (y)")
	other, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close() //nolint:errcheck // the test is over
	check := func(mode string) {
		t.Helper()
		var auto, found string
		if err := other.QueryRowContext(t.Context(), "PRAGMA auto_vacuum").Scan(&auto); err != nil || auto != mode {
			t.Errorf("auto_vacuum is %s, want %s (%v)", auto, mode, err)
		}
		if err := other.QueryRowContext(t.Context(), "PRAGMA integrity_check").Scan(&found); err != nil || found != "ok" {
			t.Errorf("with auto_vacuum %s: %.200s %v", mode, found, err)
		}
	}
	for i, mode := range []string{"NONE", "INCREMENTAL", "NONE"} {
		if i > 0 {
			if _, err := other.ExecContext(t.Context(), "PRAGMA wal_autocheckpoint = 0; PRAGMA auto_vacuum = "+mode+"; VACUUM"); err != nil {
				t.Fatal(err)
			}
		}
		store(t, database, `
			WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000)
			INSERT OR REPLACE INTO x (rowid, y) SELECT i, zeroblob(900) FROM n`)
		store(t, database, "DELETE FROM x WHERE rowid > 1000")
		for start := time.Now(); logSize(t, path) > 0 && time.Since(start) < time.Minute; {
			<-time.After(10 * time.Millisecond)
		}
		check(map[string]string{"NONE": "0", "INCREMENTAL": "2"}[mode])
	}
}

// TestSQLiteDurability checks that SQLite's settings make commits as durable as Postgres' defaults.
func TestSQLiteDurability(t *testing.T) {
	t.Parallel()
	database := dbtest.Open(t, dbtest.NewURL(t, db.SQLite))
	err := database.Tx(t.Context(), time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
		for pragma, want := range map[string]string{"synchronous": "2", "journal_mode": "wal"} {
			var got string
			if err := tx.GetContext(ctx, &got, "PRAGMA "+pragma); err != nil {
				return err
			}
			if got != want {
				t.Errorf("%s is %s, want %s", pragma, got, want)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}
