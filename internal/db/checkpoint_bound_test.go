package db

import (
	"database/sql"
	"database/sql/driver"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
)

// TestCheckpointBound writes during each pass of a checkpoint over the log, first so much that the log becomes long. At most
// checkpointRest may be left when the pass begins that writers wait for. A read that began before a write keeps the pass from
// copying it.
func TestCheckpointBound(t *testing.T) {
	t.Parallel()
	database, err := Open("sqlite:"+filepath.Join(t.TempDir(), "store.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer database.Close() //nolint:errcheck // the test is over
	own := database.sqlite
	own.stop()
	<-own.ended
	write := func(bytes int64) {
		if _, err := own.writer.ExecContext(t.Context(), "INSERT INTO x VALUES (zeroblob($1))", bytes); err != nil {
			t.Error(err)
		}
	}
	if _, err := own.writer.ExecContext(t.Context(), "PRAGMA synchronous = OFF; CREATE TABLE x (y)"); err != nil {
		t.Fatal(err)
	}
	writes := []int64{longLog - checkpointSize + checkpointRest, 2 * checkpointRest, 2 * checkpointRest, 1}
	var last logState
	var reader *sql.Tx
	pool, err := openSQLitePool(fileConnector{file: own.file}, url.Values{"vfs": {vfsName}}, 1, func(statement string, _ []driver.NamedValue) {
		switch {
		case strings.Contains(statement, "PASSIVE") && len(writes) > 0:
			reader, err = database.read.BeginTx(t.Context(), nil)
			if err == nil {
				err = reader.QueryRowContext(t.Context(), "SELECT count(*) FROM x").Scan(new(int))
			}
			write(writes[0])
			writes = writes[1:]
		case strings.Contains(statement, "NOOP"):
			_ = reader.Rollback() // it may have ended
		case strings.Contains(statement, "RESTART"):
			last, err = own.checkpoint(own.writer, "NOOP")
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer pool.Close() //nolint:errcheck // the test is over
	write(checkpointSize)
	c := &checkpoints{file: own.file, pool: pool, readSlots: own.readSlots, writeSlot: own.writeSlot}
	if done, failed := c.empty(t.Context(), false); !done || failed != nil || err != nil {
		t.Fatal(done, failed, err)
	}
	if left := last.size - last.copied; last.size < longLog || left > checkpointRest {
		t.Errorf("%d bytes of %d were left to copy while writers wait", left, last.size)
	}
}
