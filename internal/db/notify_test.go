package db_test

import (
	"testing"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// TestWatchAfterRestart watches a Postgres that is started again, as another may take over that has made as many transactions, but
// lacks some commits: it takes that for a change.
func TestWatchAfterRestart(t *testing.T) {
	t.Parallel()
	url, restart := dbtest.NewServer(t)
	watch := dbtest.Connect(t, url, db.Options{MaxConnections: 4}).NewWatch()
	defer watch.Close() //nolint:errcheck // it has no connection of its own
	for i, want := range []bool{true, false, true, false} {
		if i == 2 {
			restart()
		}
		if changed, err := watch.Changed(t.Context()); err != nil || changed != want {
			t.Errorf("%d: it has changed: %t, want %t: %v", i, changed, want, err)
		}
	}
}
