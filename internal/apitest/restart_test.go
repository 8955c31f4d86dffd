package apitest_test

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/message-service/message-service/internal/dbtest"
)

// TestOrderlyRestart restarts a Postgres without TLS under load, as for an update, with the
// default sslmode. A restart must not wait for idle connections: Postgres gives one over which
// nothing was sent authentication_timeout, a minute unless it is set, to authenticate. Here that is longer than pg_ctl
// waits, so that a restart which waits for one fails, however fast the machine is.
func TestOrderlyRestart(t *testing.T) {
	t.Parallel()
	cluster := dbtest.NewCluster(t, "authentication_timeout=10min")
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
	err := cluster.Demote()
	cancel()
	senders.Wait()
	if err != nil {
		t.Fatalf("an orderly restart: %v", err)
	}
	if err := cluster.Promote(); err != nil {
		t.Fatal(err)
	}
	f.works(t)
}
