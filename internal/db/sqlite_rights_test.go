package db_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// TestReadOnlyFile checks that a store is not opened which could be read and not written.
func TestReadOnlyFile(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root may write to every file")
	}
	url := dbtest.NewURL(t, db.SQLite)
	// SQLite corrects the rights of an empty log.
	err := dbtest.Open(t, url).Add(t.Context(), time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, "CREATE TABLE filler (x)")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	path := strings.TrimPrefix(url, "sqlite:")
	for _, file := range []string{path, path + "-wal"} {
		if err := os.Chmod(file, 0o400); err != nil {
			t.Fatal(err)
		}
		second := dbtest.Connect(t, url, db.Options{})
		if _, err := second.Migrate(t.Context()); err == nil || !strings.Contains(err.Error(), "able to read and write it, and its -wal") {
			t.Errorf("%s can only be read: %v", file, err)
		}
		if err := os.Chmod(file, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
