package db_test

import (
	"database/sql"
	"io/fs"
	"testing"

	"github.com/pressly/goose/v3"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/migrations"
)

// TestIndexBesideReader has a transaction that has read messages stay open while the index of step 13 replaces the one
// before it, as a dump may for hours: sends go on.
func TestIndexBesideReader(t *testing.T) {
	t.Parallel()
	url := dbtest.NewURL(t, db.Postgres)
	migrateTo(t, url, 12)
	pool, err := sql.Open("postgres", url)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close() //nolint:errcheck // the test looks at what it did
	reader, err := pool.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Rollback() //nolint:errcheck // it is over
	var pid int
	if err := reader.QueryRowContext(t.Context(), "SELECT pg_backend_pid() FROM (SELECT count(*) FROM messages) AS n").Scan(&pid); err != nil {
		t.Fatal(err)
	}
	migrated := make(chan error, 1)
	go func() {
		_, err := dbtest.Open(t, url).Migrate(t.Context())
		migrated <- err
	}()
	for waits := false; !waits; {
		err := pool.QueryRowContext(t.Context(), "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid)))", pid).Scan(&waits)
		if err != nil || len(migrated) > 0 {
			t.Fatalf("the migration does not wait for the reader: %v", err)
		}
	}
	send := "SET LOCAL lock_timeout = '1s'; INSERT INTO messages (recipient, id, sender, text) VALUES ('bob', gen_random_uuid(), 'alice', '')"
	if _, err := pool.ExecContext(t.Context(), send); err != nil {
		t.Errorf("a send waits: %v", err)
	}
	if err := reader.Rollback(); err != nil {
		t.Error(err)
	}
	if err := <-migrated; err != nil {
		t.Error(err)
	}
	var valid bool
	if err := pool.QueryRowContext(t.Context(), "SELECT indisvalid FROM pg_index WHERE indexrelid = 'messages_between'::regclass").Scan(&valid); err != nil || !valid {
		t.Errorf("the index is valid: %t, %v", valid, err)
	}
}

// migrateTo makes the schema of an earlier version.
func migrateTo(t *testing.T, url string, step int64) {
	t.Helper()
	pool, err := sql.Open("postgres", url)
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close() //nolint:errcheck // it is done
	folder, err := fs.Sub(migrations.FS, string(db.Postgres))
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, pool, folder, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := provider.UpTo(t.Context(), step); err != nil {
		t.Fatal(err)
	}
}
