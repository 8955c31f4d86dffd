//go:build tools

package apitest_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/messaging"
)

const pgbouncer = "../../.tools/pgbouncer" // where .tools/install-pgbouncer installs it

// useAtOnce has many clients send requests of every kind to servers, and fails the test if any
// fails.
func useAtOnce(t *testing.T, servers ...*apitest.Client) {
	t.Helper()
	const clients, rounds = 16, 15
	var mu sync.Mutex
	var requests, failed int
	statuses := map[int]int{}
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			s := servers[i%len(servers)]
			do := func(method, path, body string, header ...string) {
				answer := s.Do(t, method, path, strings.NewReader(body), append(header, "Content-Type: application/json")...)
				mu.Lock()
				defer mu.Unlock()
				requests++
				if answer.Status >= 300 {
					failed++
					statuses[answer.Status]++
				}
			}
			user := fmt.Sprint("user-", i)
			for range rounds {
				body := draft(`recipient="` + user + `"`)
				do(http.MethodPost, "/v1/messages", body)
				do(http.MethodPost, "/v1/messages", body, "Idempotency-Key: "+uuid.NewString())
				do(http.MethodGet, "/v1/messages?recipient="+user, "")
				do(http.MethodGet, "/v1/messages?recipient="+user+"&q=hi", "")
				do(http.MethodGet, "/v1/users/"+user+"/conversations", "")
				do(http.MethodGet, "/v1/users/"+user+"/conversations/alice/messages", "")
				do(http.MethodGet, "/v1/users/"+user+"/changes?after="+uuid.Nil.String(), "")
				do(http.MethodPut, "/v1/users/"+user+"/blocks/mallory", "")
				do(http.MethodGet, "/ready", "")
			}
		})
	}
	wg.Wait()
	if failed > 0 {
		t.Errorf("%d of %d requests failed: %v", failed, requests, statuses)
	}
}

// TestPooler runs two servers on PgBouncer in transaction mode, without any option.
func TestPooler(t *testing.T) {
	const refusal, exchange = "it refuses the startup parameter jit", "one connection meets several servers"
	for name, test := range map[string]struct{ setting, sign string }{
		"defaults":      {"", refusal},
		"a small pool":  {"default_pool_size = 4", refusal},
		"silent":        {"ignore_startup_parameters = jit", exchange},
		"another order": {"ignore_startup_parameters = jit\nserver_round_robin = 1", exchange},
	} {
		t.Run(name, func(t *testing.T) {
			url := dbtest.NewPooler(t, dbtest.NewCluster(t), pgbouncer, test.setting)
			first := apitest.StartProcess(t, "../../bin/message-service", url)
			second := apitest.StartProcess(t, "../../bin/message-service", url)
			useAtOnce(t, first.Client, second.Client)
			stream := startStream(t, first.Client, "carol", nil)
			second.Send(t, "alice", "carol", "from the other server")
			expect(t, stream, "from the other server")
			for _, p := range []*apitest.Process{first, second} {
				if err := p.Stop(t); err != nil || strings.Count(p.Log.String(), "\n") != 1 || !strings.Contains(p.Log.String(), test.sign) {
					t.Errorf("the server ended with %v and logged:\n%s", err, p.Log)
				}
			}
		})
	}
}

// TestPoolerLater inserts PgBouncer between a running server and its Postgres.
func TestPoolerLater(t *testing.T) {
	for name, setting := range map[string]string{"defaults": "", "silent": "ignore_startup_parameters = jit"} {
		t.Run(name, func(t *testing.T) {
			cluster := dbtest.NewCluster(t)
			pooled := dbtest.NewPooler(t, cluster, pgbouncer, setting)
			proxy, url := newProxy(t, cluster.URL)
			s := apitest.StartOn(t, url, messaging.Options{})
			useAtOnce(t, s.Client)
			proxy.move(t, pooled)
			proxy.cut()
			proxy.restore()
			useAtOnce(t, s.Client)
			stream := startStream(t, s.Client, "carol", nil)
			s.Send(t, "alice", "carol", "hello")
			expect(t, stream, "hello")
		})
	}
}
