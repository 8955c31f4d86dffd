package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// TestPortInUse starts a server on a port that is taken: the error must name the option for
// another port, and the database must stay untouched.
func TestPortInUse(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close() //nolint:errcheck // the test is over
	address, path := listener.Addr().String(), filepath.Join(t.TempDir(), "test.db")
	code, out, errs := runHere(t, "--listen-address", address, "--database-url", "sqlite:"+path)
	want := "message-service: something else listens on " + address + " already: take another port by --listen-address (LISTEN_ADDRESS), such as 127.0.0.1:"
	if code != 1 || out != "" || !strings.HasPrefix(errs, want) || strings.Count(errs, "\n") != 1 {
		t.Errorf("exit %d\nstdout: %s\nstderr: %s", code, out, errs)
	}
	code, _, errs = runHere(t, "--listen-address=127.0.0.1:0", "--debug-address", address, "--database-url", "sqlite:"+path)
	if code != 1 || !strings.Contains(errs, "by --debug-address (DEBUG_ADDRESS), such as ") {
		t.Errorf("profiles: exit %d, %s", code, errs)
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("it created a database")
	}
}

// TestRefusesUntilItServes starts a server whose database does not answer yet: connections must be
// refused rather than wait.
func TestRefusesUntilItServes(t *testing.T) {
	t.Parallel()
	address, database := freeAddress(t), freeAddress(t)
	ctx, stop := context.WithCancel(t.Context())
	log, ended := make(lines, 100), make(chan int, 1)
	go func() {
		ended <- run(ctx, []string{"--listen-address", address, "--database-url", "postgres://" + database + "/x", "--database-wait=1m"}, streams{log, log})
	}()
	if line := log.next(t); !strings.Contains(line, "the database does not answer yet") {
		t.Error(line)
	}
	if conn, err := net.Dial("tcp", address); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("connected to %v, %v", conn, err)
	}
	stop()
	if code := <-ended; code != 0 {
		t.Errorf("exit %d", code)
	}
}

// TestGreeting checks what a server prints at its start, including who can read messages.
func TestGreeting(t *testing.T) {
	t.Parallel()
	key := "--service-key=" + strings.Repeat("k", 32)
	for _, test := range []struct {
		args       []string
		says, lack string
	}{
		{[]string{"--listen-address=127.0.0.1:0"}, "  Console         http://127.0.0.1:", "every client"},
		{[]string{"--listen-address=127.0.0.1:0"}, "There is no authentication: every program on this machine can read", "{"},
		{[]string{"--listen-address=127.0.0.1:0"}, "and no other machine. AUTH=required switches it on.", "Authorization"},
		{[]string{"--listen-address=127.0.0.1:0", "--allow-unauthenticated"}, "every client of a proxy on it, can read", "no other machine"},
		{[]string{"--listen-address=0.0.0.0:0", "--allow-unauthenticated"}, "There is no authentication: every client that reaches [::]:", "/console/"},
		{[]string{"--listen-address=0.0.0.0:0", "--allow-unauthenticated"}, "  Documentation   http://localhost:", "every program"},
		{[]string{"--listen-address=127.0.0.1:0", key}, `/v1/messages -H "Authorization: Bearer $KEY" --json `, "There is no"},
		{[]string{"--listen-address=127.0.0.1:0", key}, "Every request needs a credential: a service key, ", "kkk"},
		{[]string{"--listen-address=0.0.0.0:0", key}, "  Console         http://localhost:", "[::]"},
	} {
		ctx, stop := context.WithCancel(t.Context())
		out := make(greeting, 1)
		ended := make(chan int, 1)
		go func() {
			ended <- run(ctx, append(test.args, "--database-url", dbtest.NewURL(t, db.SQLite)), streams{out, out})
		}()
		said := ""
		for !strings.Contains(said, "First message") {
			select {
			case text := <-out:
				said += text
			case code := <-ended:
				t.Fatalf("exit %d: %s", code, said)
			}
		}
		go func() {
			for range out { // drains what it prints at its end
			}
		}()
		stop()
		<-ended
		close(out)
		_, greeted, _ := strings.Cut(said, "Message Service")
		if !strings.Contains(greeted, test.says) || strings.Contains(strings.ReplaceAll(greeted, "'{\"sender\"", ""), test.lack) {
			t.Errorf("%v: it printed\n%s\nwant %q and not %q", test.args, greeted, test.says, test.lack)
		}
	}
}

type greeting chan string

func (g greeting) Write(text []byte) (int, error) {
	g <- string(text)
	return len(text), nil
}

// TestLogOfUnavailable stops the database: the log must have the cause once per request. With searches,
// there would be an open connection, which goes on reading.
func TestLogOfUnavailable(t *testing.T) {
	t.Parallel()
	path, address := filepath.Join(t.TempDir(), "test.db"), freeAddress(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	out, ended := make(greeting, 100), make(chan int, 1)
	var log bytes.Buffer
	go func() {
		ended <- run(ctx, []string{"--listen-address", address, "--database-url", "sqlite:" + path, "--no-search"}, streams{out, &log})
	}()
	select {
	case <-out:
	case code := <-ended:
		t.Fatalf("exit %d: %s", code, log.String())
	}
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	response, err := http.Get("http://" + address + "/v1/users/bob/conversations")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close() //nolint:errcheck // it was only read
	var problem struct{ Instance string }
	if err := json.NewDecoder(response.Body).Decode(&problem); err != nil || response.StatusCode != http.StatusServiceUnavailable {
		t.Fatalf("answered %s (%v)", response.Status, err)
	}
	stop()
	<-ended
	_, id, _ := strings.Cut(problem.Instance, "urn:request:")
	causes := 0
	for line := range strings.Lines(log.String()) {
		if strings.Contains(line, "request_id="+id) && strings.Contains(line, "error=") {
			causes++
			if !strings.Contains(line, "level=WARN") || strings.Count(line, "database unavailable") > 1 {
				t.Errorf("the line with the cause is %s", line)
			}
		}
	}
	if causes != 1 {
		t.Errorf("%d lines have a cause, want 1:\n%s", causes, log.String())
	}
}

// TestGCPercent starts a server with GOGC in its environment, which is that of the whole process, and without it: only then it
// has a value of its own.
func TestGCPercent(t *testing.T) {
	const given = 70
	for environment, want := range map[string]int{"": gcPercent, strconv.Itoa(given): given} {
		t.Setenv("GOGC", environment)
		before := debug.SetGCPercent(given) // as Go does at its start
		stop := serveAt(t, freeAddress(t), dbtest.NewURL(t, db.SQLite))
		stop()
		if got := debug.SetGCPercent(before); got != want {
			t.Errorf("with %q it is %d, want %d", environment, got, want)
		}
	}
}
