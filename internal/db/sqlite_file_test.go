package db_test

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
)

// TestLogTruncatedAmidTransaction truncates the log while a transaction writes: what it appends
// makes the log long enough again, but after a hole.
func TestLogTruncatedAmidTransaction(t *testing.T) {
	t.Parallel()
	database, path := openLogged(t, make(lines, 10))
	for range 3 {
		store(t, database, change)
	}
	err := database.Add(t.Context(), time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, change)
		return errors.Join(err, os.Truncate(path+"-wal", logSize(t, path)/2))
	})
	if !errors.Is(err, db.ErrUnavailable) {
		t.Errorf("the commit answers %v", err)
	}
	if err := database.Intact(); !errors.Is(err, db.ErrUnavailable) {
		t.Errorf("the files are intact: %v", err)
	}
}
