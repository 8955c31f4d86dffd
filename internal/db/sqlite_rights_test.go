package db_test

import (
	"os"
	"strings"
	"testing"

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
	migrate := func() error {
		database, err := db.Open(url, db.Options{})
		if err != nil {
			return err
		}
		defer database.Close() //nolint:errcheck // the test is about the beginning
		_, err = database.Migrate(t.Context())
		return err
	}
	if err := migrate(); err != nil {
		t.Fatal(err)
	}
	store := strings.TrimPrefix(url, "sqlite:")
	log := store + "-wal"
	if err := os.WriteFile(log, []byte("frames"), 0o400); err != nil { // SQLite corrects the rights of an empty one
		t.Fatal(err)
	}
	const says = "able to read and write it, and its -wal"
	if err := migrate(); err == nil || !strings.Contains(err.Error(), says) {
		t.Errorf("the log can only be read: %v", err)
	}
	if err := os.Remove(log); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(store, 0o400); err != nil {
		t.Fatal(err)
	}
	if err := migrate(); err == nil || !strings.Contains(err.Error(), says) {
		t.Errorf("the store can only be read: %v", err)
	}
}
