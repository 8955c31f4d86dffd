package apitest_test

import (
	"database/sql"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/app"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/feed"
	"github.com/message-service/message-service/internal/messaging"
)

// recoveryTime is how long a server may take until everything works, once its database is
// writable.
const recoveryTime = 5 * time.Second

// failover is a server whose database fails and recovers.
type failover struct {
	*apitest.Server

	message, victim client.Message // to be edited, and to be deleted
}

// startFailover starts the server on a database, and sends requests to fill its pool.
func startFailover(t *testing.T, url string) *failover {
	t.Helper()
	f := &failover{Server: apitest.StartOn(t, url, messaging.Options{})}
	f.message = f.Send(t, "alice", "bob", "before")
	f.victim = f.Send(t, "alice", "bob", "to be deleted")
	f.works(t)
	return f
}

// try sends requests of each kind concurrently, and returns those with an unexpected response.
// Writes must be answered 503 if and only if the database is not writable; reads may be
// answered 503 or succeed.
func (f *failover) try(t *testing.T, writable bool) (wrong []string) {
	t.Helper()
	message := "/v1/messages/" + f.message.ID.String()
	victim := f.victim.ID.String()
	writes := [][3]string{
		{http.MethodPost, "/v1/messages", draft()},
		{http.MethodPatch, message, `{"text": "edited"}`},
		{http.MethodDelete, "/v1/messages/" + victim, ""},
		{http.MethodPut, "/v1/users/bob/blocks/mallory", ""},
		{http.MethodDelete, "/v1/users/bob/blocks/mallory", ""},
		{http.MethodPut, "/v1/users/bob/conversations/alice/read-marker", `{"messageId": "` + victim + `"}`},
		{http.MethodDelete, "/v1/users/nobody", ""},
		{http.MethodGet, "/ready", ""},
	}
	reads := []string{
		message, "/v1/messages?recipient=bob", "/v1/messages?recipient=bob&q=before", "/v1/users/bob/conversations",
		"/v1/users/bob/conversations/alice", "/v1/users/bob/conversations/alice/messages", "/v1/users/bob/blocks",
		"/v1/users/bob/changes?after=" + uuid.Nil.String(), "/v1/users/bob/export",
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	try := func(write bool, method, path, body string, header ...string) {
		wg.Go(func() {
			answer := f.Do(t, method, path, strings.NewReader(body), append(header, "Content-Type: application/json")...)
			failed := answer.Status == http.StatusServiceUnavailable
			if !failed && answer.Status >= 300 || failed && writable || write && !writable && !failed {
				mu.Lock()
				defer mu.Unlock()
				wrong = append(wrong, fmt.Sprintf("%s %s answered %d: %s", method, path, answer.Status, answer.Body))
			}
		})
	}
	for _, write := range writes {
		try(true, write[0], write[1], write[2])
	}
	for range 2 {
		try(true, http.MethodPost, "/v1/messages", draft(), "Idempotency-Key: "+uuid.NewString())
		for _, path := range reads {
			try(false, http.MethodGet, path, "")
		}
	}
	wg.Wait()
	return wrong
}

// works waits until everything works, several times in a row.
func (f *failover) works(t *testing.T) {
	t.Helper()
	const inARow = 3
	back := time.Now()
	var stored, worked time.Duration
	for good := 0; good < inARow; {
		begun := time.Since(back)
		if stored == 0 {
			answer := f.Do(t, http.MethodPost, "/v1/messages", strings.NewReader(draft()), "Content-Type: application/json")
			if answer.Status == http.StatusCreated {
				stored = time.Since(back)
			}
		}
		wrong := f.try(t, true)
		switch {
		case wrong != nil:
			good = 0
		case good == 0:
			worked = time.Since(back)
			fallthrough
		default:
			good++
		}
		if begun > recoveryTime && wrong != nil {
			t.Fatalf("%s after the database was back:\n%s", begun, strings.Join(wrong, "\n"))
		}
	}
	t.Logf("after the database was back it took %s to store the first message, and %s until everything worked",
		stored.Round(time.Millisecond), worked.Round(time.Millisecond))
	f.victim = f.Send(t, "alice", "bob", "to be deleted")
}

// fails checks that every write is refused and that the server is not ready.
func (f *failover) fails(t *testing.T) {
	t.Helper()
	for range 3 {
		if wrong := f.try(t, false); wrong != nil {
			t.Errorf("while nothing can be written:\n%s", strings.Join(wrong, "\n"))
		}
	}
	if stream, err := f.Follow(t.Context(), t, "bob", nil); err == nil {
		stream.Close()
	} else if !strings.Contains(err.Error(), "503") {
		t.Errorf("a stream: %v", err)
	}
	answerIs(t, f.Server, http.MethodGet, "/health", "", http.StatusOK)
}

// TestFailover moves the address of the database to a standby and back, and demotes the
// primary: writes must fail meanwhile, and everything must work soon after.
func TestFailover(t *testing.T) {
	t.Parallel()
	primary := dbtest.NewCluster(t)
	dbtest.Open(t, primary.URL) // so that the standby has the schema
	standby := dbtest.NewStandby(t, primary)
	proxy, url := newProxy(t, primary.URL)
	f := startFailover(t, url)
	stream := startStream(t, f.Client, "carol", nil)
	for range 2 {
		proxy.move(t, standby.URL)
		proxy.cut()
		proxy.restore()
		f.fails(t)
		proxy.move(t, primary.URL) // existing connections to the standby stay open
		f.works(t)
	}
	if err := primary.Demote(); err != nil {
		t.Fatal(err)
	}
	f.fails(t)
	if err := primary.Promote(); err != nil {
		t.Fatal(err)
	}
	f.works(t)
	f.Send(t, "alice", "carol", "after")
	expect(t, stream, "after")
}

// TestFailoverWithLoss lets a standby take over that lacks the last commits, and another server write to it as often as was
// lost: an open stream gets that, too, although the mailbox has counted as much as before. Nothing but its own sends wakes the server.
func TestFailoverWithLoss(t *testing.T) {
	t.Parallel()
	primary := dbtest.NewCluster(t)
	proxy, url := newProxy(t, primary.URL)
	server := apitest.StartWith(t, url, app.Options{Bus: func(*db.DB) feed.Bus { return &feed.Local{} }})
	stream := startStream(t, server.Client, "bob", nil)
	server.Send(t, "alice", "bob", "kept")
	standby := dbtest.NewStandby(t, primary)
	for _, text := range []string{"lost 1", "lost 2"} {
		server.Send(t, "alice", "bob", text)
	}
	expect(t, stream, "kept", "lost 1", "lost 2")
	if err := standby.Promote(); err != nil {
		t.Fatal(err)
	}
	proxy.move(t, standby.URL)
	proxy.cut()
	proxy.restore()
	other := apitest.StartOn(t, standby.URL, messaging.Options{})
	for _, text := range []string{"1", "2"} {
		other.Send(t, "carol", "bob", text)
	}
	server.Send(t, "alice", "bob", "3")
	expect(t, stream, "1", "2", "3")
}

// TestRefusedByPostgres makes Postgres refuse the server in every possible way, and accept it
// again. The server must never answer 500.
func TestRefusedByPostgres(t *testing.T) {
	t.Parallel()
	cluster := dbtest.NewCluster(t)
	admin := cluster.URL + "&default_transaction_read_only=off"
	dbtest.Execute(t, admin, "CREATE ROLE service LOGIN", "CREATE DATABASE served OWNER service")
	f := startFailover(t, strings.Replace(cluster.URL, "postgres@/postgres", "service@/served", 1))
	const cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'service'"
	for _, refusal := range [][2]string{
		{"ALTER ROLE service NOLOGIN", "ALTER ROLE service LOGIN"},
		{"ALTER DATABASE served ALLOW_CONNECTIONS false", "ALTER DATABASE served ALLOW_CONNECTIONS true"},
		{"ALTER DATABASE served CONNECTION LIMIT 0", "ALTER DATABASE served CONNECTION LIMIT -1"},
		{"ALTER ROLE service CONNECTION LIMIT 0", "ALTER ROLE service CONNECTION LIMIT -1"},
		{"ALTER ROLE service SET default_transaction_read_only = on", "ALTER ROLE service RESET default_transaction_read_only"},
		{"ALTER DATABASE served SET default_transaction_read_only = on", "ALTER DATABASE served RESET default_transaction_read_only"},
	} {
		dbtest.Execute(t, admin, refusal[0], cut)
		f.fails(t)
		dbtest.Execute(t, admin, refusal[1])
		f.works(t)
	}
	// Sessions that are open learn of this one, and it can still be read from.
	dbtest.Execute(t, admin, "ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")
	awaitReload(t, cluster.URL, "default_transaction_read_only", "on")
	f.fails(t)
	answerIs(t, f.Server, http.MethodGet, "/v1/messages", "", http.StatusOK)
	dbtest.Execute(t, admin, "ALTER SYSTEM RESET default_transaction_read_only", "SELECT pg_reload_conf()")
	f.works(t)
}

// awaitReload waits until new sessions of the Postgres at url have a setting. Postgres tells those that are open one after
// the other, but begins no session meanwhile.
func awaitReload(t *testing.T, url, setting, want string) {
	t.Helper()
	sessions, err := sql.Open("postgres", url)
	if err != nil {
		t.Fatal(err)
	}
	defer sessions.Close() //nolint:errcheck // nothing is left to be done
	sessions.SetMaxIdleConns(-1)
	for value := ""; value != want; {
		if err := sessions.QueryRowContext(t.Context(), "SHOW "+setting).Scan(&value); err != nil {
			t.Fatal(err)
		}
	}
}
