package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/message-service/message-service/api/messageservice"
	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/messaging"
)

// lines is a writer whose lines a test can wait for.
type lines chan string

func (l lines) Write(line []byte) (int, error) {
	l <- string(line)
	return len(line), nil
}

func (l lines) next(t *testing.T) string {
	t.Helper()
	select {
	case line := <-l:
		if strings.Count(line, "\n") != 1 || !strings.HasSuffix(line, "\n") {
			t.Errorf("%q was written, want a line", line)
		}
		return strings.TrimSuffix(line, "\n")
	case <-time.After(30 * time.Second):
		t.Fatal("nothing was written")
		return ""
	}
}

// change reads the next line as a change.
func (l lines) change(t *testing.T) client.Change {
	t.Helper()
	var change client.Change
	if line := l.next(t); json.Unmarshal([]byte(line), &change) != nil || change.Message == nil {
		t.Fatalf("printed %s, want a message", line)
	}
	return change
}

// serveAt runs a server in the test's process until stop is called.
func serveAt(t *testing.T, address, database string, args ...string) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	out := make(lines, 10)
	var errs bytes.Buffer
	go func() {
		ended <- run(ctx, append(args, "--listen-address", address, "--database-url", database), streams{out, &errs})
	}()
	select {
	case <-out: // the greeting, printed when it listens
	case code := <-ended:
		t.Fatalf("exit %d: %s", code, errs.String())
	}
	return func() {
		cancel()
		if code := <-ended; code != 0 {
			t.Errorf("exit %d: %s", code, errs.String())
		}
	}
}

// tailing runs tail in the test's process until stop is called.
func tailing(t *testing.T, args ...string) (out, errs lines, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	out, errs = make(lines, 100), make(lines, 100)
	go func() { ended <- run(ctx, append([]string{"tail"}, args...), streams{out, errs}) }()
	return out, errs, func() {
		cancel()
		if code := <-ended; code != 0 {
			t.Errorf("exit %d", code)
		}
	}
}

// TestTail follows a user while the server is started, restarted and stopped. It must miss
// nothing, report connections, and at its end print the cursor to continue after.
func TestTail(t *testing.T) {
	t.Parallel()
	address, database := freeAddress(t), dbtest.NewURL(t, db.SQLite)
	server := "--server=http://" + address
	send := func(text string) {
		t.Helper()
		if code, _, errs := runHere(t, "send", server, "--from=alice", "--to=bob", text); code != 0 {
			t.Fatal(errs)
		}
	}
	says := func(errs lines, want string) {
		t.Helper()
		if line := errs.next(t); !strings.Contains(line, want) {
			t.Fatalf("it printed %q, want %q", line, want)
		}
	}

	follows := func(errs lines, from string) { // it may have tried again before the server was there
		t.Helper()
		for line := errs.next(t); !strings.HasPrefix(line, "following bob from "+from); line = errs.next(t) {
			if !strings.HasPrefix(line, "not connected: ") {
				t.Fatalf("it printed %q", line)
			}
		}
	}

	out, errs, stop := tailing(t, server, "bob")
	says(errs, "connection refused; trying again in ")
	stopServer := serveAt(t, address, database)
	follows(errs, uuid.Nil.String())
	send("<one>")
	if line := out.next(t); !strings.HasPrefix(line, `{"cursor":"`) || !strings.Contains(line, `"text":"<one>"`) {
		t.Errorf("printed %s", line)
	}
	stopServer()
	says(errs, "the stream has ended; trying again in ")
	stopServer = serveAt(t, address, database)
	defer func() { stopServer() }()
	send("two")
	send("three")
	two, three := out.change(t), out.change(t)
	if two.Message.Text != "two" || three.Message.Text != "three" {
		t.Errorf("printed %s and %s", two.Message.Text, three.Message.Text)
	}
	follows(errs, "")
	stop()
	says(errs, "stopped; go on with --after "+three.Cursor.String())

	out, errs, stop = tailing(t, server, "--after", two.Cursor.String(), "bob")
	follows(errs, two.Cursor.String())
	if again := out.change(t); again.Cursor != three.Cursor {
		t.Errorf("went on with %+v", again)
	}
	stop()
	says(errs, "stopped; go on with --after "+three.Cursor.String())
}

// TestTailTyping hears who is typing, to the user and in a group of theirs, on standard error.
func TestTailTyping(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		api, err := messageservice.New(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		ctx := t.Context()
		if _, err := messageservice.Check(api.CreateGroupWithResponse(ctx, "~team", client.CreateGroupRequest{Name: "Team", Owner: new("alice")})); err != nil {
			t.Fatal(err)
		}
		if _, err := messageservice.Check(api.AddGroupMembersWithResponse(ctx, "~team", client.AddGroupMembersRequest{Users: []client.UserID{"bob"}})); err != nil {
			t.Fatal(err)
		}
		_, errs, stop := tailing(t, "--server", s.URL, "bob")
		if line := errs.next(t); !strings.HasPrefix(line, "following bob from ") {
			t.Fatal(line)
		}
		for peer, want := range map[string]string{"bob": "alice is typing", "~team": "alice is typing in ~team"} {
			if _, err := messageservice.Check(api.SetTypingWithResponse(ctx, "alice", peer)); err != nil {
				t.Fatal(err)
			}
			if line := errs.next(t); line != want {
				t.Errorf("it printed %q, want %q", line, want)
			}
		}
		stop()
	})
}

// TestTailEnds ends tail by a signal, and by closing the pipe that it writes to.
func TestTailEnds(t *testing.T) {
	t.Parallel()
	const following = "following bob from 00000000-0000-0000-0000-000000000000\n"
	for name, test := range map[string]struct {
		end  func(t *testing.T, s *apitest.Server, process *os.Process, out io.Closer)
		code int
		says string
	}{
		"Ctrl-C": {func(t *testing.T, _ *apitest.Server, process *os.Process, _ io.Closer) {
			if err := process.Signal(os.Interrupt); err != nil {
				t.Error(err)
			}
		}, 0, following + "stopped; go on with --after %s\n"},
		"head": {func(t *testing.T, s *apitest.Server, _ *os.Process, out io.Closer) {
			if err := out.Close(); err != nil {
				t.Error(err)
			}
			s.Send(t, "alice", "bob", "nobody reads this")
		}, -1, following}, // by SIGPIPE, as any filter
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := apitest.Start(t, db.SQLite, messaging.Options{})
			one := s.Send(t, "alice", "bob", "one")
			command := programWith(t, "tail", "--server", s.URL, "bob", "--after", uuid.Nil.String())
			var errs bytes.Buffer
			command.Stderr = &errs
			out, err := command.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := command.Start(); err != nil {
				t.Fatal(err)
			}
			var first client.Change
			if err := json.NewDecoder(out).Decode(&first); err != nil || first.Cursor != one.ID {
				t.Errorf("printed %+v (%v)", first, err)
			}
			test.end(t, s, command.Process, out)
			_ = command.Wait() // the exit code is checked below
			says := strings.Replace(test.says, "%s", one.ID.String(), 1)
			if code := command.ProcessState.ExitCode(); code != test.code || errs.String() != says {
				t.Errorf("exit %d, want %d\nstderr: %s", code, test.code, errs.String())
			}
		})
	}

	s := apitest.Start(t, db.SQLite, messaging.Options{})
	s.Send(t, "alice", "bob", "one")
	reader, writer := io.Pipe()
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	var errs bytes.Buffer
	if code := run(t.Context(), []string{"tail", "--server", s.URL, "bob", "--after", uuid.Nil.String()}, streams{writer, &errs}); code != 0 || errs.String() != following {
		t.Errorf("to a pipe that is closed: exit %d, %s", code, errs.String())
	}
}
