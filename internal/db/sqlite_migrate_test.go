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
	if err := transactAll(t.Context(), conn, func(context.Context, *sql.DB) error { return nil }); !errors.Is(err, errFull) {
		t.Errorf("the migration fails with %v", err)
	}
	if want := []string{"BEGIN IMMEDIATE", "COMMIT", "ROLLBACK"}; !slices.Equal(conn.ran, want) {
		t.Errorf("it ran %q, want %q", conn.ran, want)
	}
}

// endingConn is a connection whose statements fail if their context has ended.
type endingConn struct{ engineConn }

func (endingConn) ExecContext(ctx context.Context, _ string, _ []driver.NamedValue) (driver.Result, error) {
	return driver.ResultNoRows, ctx.Err()
}

func (endingConn) IsValid() bool { return true }

// TestMigrationEnds checks that the statements of a migration end with its context, but not its transactions, which database/sql
// would roll back beside other statements of the connection.
func TestMigrationEnds(t *testing.T) {
	t.Parallel()
	ctx, end := context.WithCancel(t.Context())
	err := transactAll(ctx, endingConn{}, func(ctx context.Context, pool *sql.DB) error {
		tx, err := pool.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		end()
		if ctx.Err() != nil {
			t.Error("the transaction ends")
		}
		_, err = tx.ExecContext(ctx, "a statement")
		return errors.Join(err, tx.Rollback())
	})
	if !errors.Is(err, context.Canceled) || errors.Is(err, sql.ErrTxDone) {
		t.Errorf("it fails with %v", err)
	}
}
