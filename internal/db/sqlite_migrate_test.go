package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"slices"
	"testing"
)

// fullDisk is a connection on which nothing can be committed.
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

// TestFailedCommitIsRolledBack migrates where the disk is full at the end: the connection
// is the only one that writes, and must not be left in a transaction.
func TestFailedCommitIsRolledBack(t *testing.T) {
	t.Parallel()
	conn := &fullDisk{}
	if err := transactAll(t.Context(), conn, func(*sql.DB) error { return nil }); !errors.Is(err, errFull) {
		t.Errorf("it fails with %v", err)
	}
	if want := []string{"BEGIN IMMEDIATE", "COMMIT", "ROLLBACK"}; !slices.Equal(conn.ran, want) {
		t.Errorf("it ran %q, want %q", conn.ran, want)
	}
}
