package apitest_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/message-service/message-service/internal/dbtest"
)

// TestOrderlyRestart restarts a Postgres without TLS under load, as for an update, with the
// default sslmode. A restart must not wait for idle connections: Postgres gives one over which
// nothing was sent a minute to authenticate.
func TestOrderlyRestart(t *testing.T) {
	t.Parallel()
	const enough = 30 * time.Second // half of that minute
	cluster := dbtest.NewCluster(t)
	_, url := newProxy(t, cluster.URL) // Postgres offers no TLS over a Unix socket
	f := startFailover(t, strings.Replace(url, "sslmode=disable", "", 1))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var senders sync.WaitGroup
	for range 8 {
		senders.Go(func() {
			for ctx.Err() == nil {
				f.Do(t, http.MethodPost, "/v1/messages", strings.NewReader(draft()), "Content-Type: application/json")
			}
		})
	}
	begun := time.Now()
	err := cluster.Demote()
	took := time.Since(begun)
	cancel()
	senders.Wait()
	if err != nil || took > enough {
		t.Fatalf("an orderly restart took %s: %v", took, err)
	}
	t.Logf("an orderly restart took %s", took)
	if err := cluster.Promote(); err != nil {
		t.Fatal(err)
	}
	f.works(t)
}
