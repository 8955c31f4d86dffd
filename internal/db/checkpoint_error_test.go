package db

import (
	"context"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestCheckpointError has checkpoints end with an error, as on a full disk, where each may write the whole log before that. The
// next one comes later than where others use the log, no reads wait for it, and the log of the server has the error.
func TestCheckpointError(t *testing.T) {
	t.Parallel()
	database, err := Open("sqlite:"+filepath.Join(t.TempDir(), "store.db"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer database.Close() //nolint:errcheck // the test is over
	own := database.sqlite
	own.stop()
	<-own.ended
	if _, err := own.writer.ExecContext(t.Context(), "CREATE TABLE x (y)"); err != nil {
		t.Fatal(err)
	}
	broken, err := openSQLitePools(own.file, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := broken.copying.Close(); err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	c := &checkpoints{
		file: own.file, log: slog.New(slog.NewTextHandler(&log, nil)), pool: broken.copying,
		readSlots: make(chan struct{}, 1), writeSlot: own.writeSlot, due: make(chan struct{}, 1),
	}
	for i, attempt := range []struct {
		since    time.Duration // the one before
		failures int
	}{{time.Hour, 1}, {retryInterval, 1}, {errorInterval, 2}} {
		c.failed = time.Now().Add(-attempt.since)
		if again := c.run(t.Context()); !again || c.failures != attempt.failures {
			t.Errorf("attempt %d: again %t, %d failures", i, again, c.failures)
		}
	}
	c.readSlots <- struct{}{} // a read
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c.failures = 1
	if done, err := c.empty(ctx, false); done || err == nil || ctx.Err() != nil {
		t.Errorf("done %t: %v", done, err)
	}
	c.since, c.failed = time.Now().Add(-time.Hour), time.Time{}
	c.run(t.Context())
	if text := log.String(); !strings.Contains(text, "database is closed") || strings.Contains(text, "another process") {
		t.Errorf("it says %s", text)
	}
}
