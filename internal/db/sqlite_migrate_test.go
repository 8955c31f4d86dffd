package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"slices"
	"testing"
)

// fullDisk is a connection whose commits fail.
type fullDisk struct {
	engineConn

	ran []string
}

var errFull = errors.New("disk full")

func (c *fullDisk) ExecContext(_ context.Context, statement string, _ []driver.NamedValue) (driver.Result, error) {
	c.ran = append(c.ran, statement)
	if statement == "COMMIT" {
		return nil, errFull
	}
	return driver.ResultNoRows, nil
}

// TestFailedCommitIsRolledBack migrates on a disk that is full at the commit: the connection is the
// only writer, and must not stay in a transaction.
func TestFailedCommitIsRolledBack(t *testing.T) {
	t.Parallel()
	conn := &fullDisk{}
	if err := transactAll(t.Context(), conn, func(*sql.DB) error { return nil }); !errors.Is(err, errFull) {
		t.Errorf("the migration fails with %v", err)
	}
	if want := []string{"BEGIN IMMEDIATE", "COMMIT", "ROLLBACK"}; !slices.Equal(conn.ran, want) {
		t.Errorf("it ran %q, want %q", conn.ran, want)
	}
}
