package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/messaging"
)

// sendMuch sends more than the pipe buffers of an export hold.
func sendMuch(t *testing.T, s *apitest.Server) {
	t.Helper()
	const n = 200
	failed := make(chan error, n)
	for range n {
		go func() {
			_, _, err := s.Service.Send(t.Context(), messaging.AsService, messaging.Draft{Sender: "alice", Recipient: "bob", Text: strings.Repeat("😀", 4000)})
			failed <- err
		}()
	}
	for range n {
		if err := <-failed; err != nil {
			t.Fatal(err)
		}
	}
}

// TestExportInterrupted interrupts an export that blocks on a full pipe.
func TestExportInterrupted(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := apitest.Start(t, engine, messaging.Options{})
		sendMuch(t, s)
		ctx, cancel := context.WithCancel(t.Context())
		out, in := io.Pipe()
		defer out.Close() //nolint:errcheck // it lets go of what still writes
		ended := make(chan int, 1)
		var errs bytes.Buffer
		go func() { ended <- run(ctx, []string{"export", "--database-url", s.DatabaseURL}, streams{in, &errs}) }()
		if _, err := out.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		cancel()
		if code := <-ended; code != 1 || errs.String() != "message-service: interrupted\n" {
			t.Errorf("exit %d, %s", code, errs.String())
		}
	})
}

// TestImportInterrupted interrupts an import that waits for the rest of its input: it must
// end, and nothing of it may be stored.
func TestImportInterrupted(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		source := apitest.Start(t, db.SQLite, messaging.Options{})
		sendMuch(t, source)
		_, exported, _ := runProcess(t, nil, "export", "--database-url", source.DatabaseURL)
		target := dbtest.NewURL(t, engine)
		command := programWith(t, "import", "--database-url", target, "-")
		var errs bytes.Buffer
		command.Stderr = &errs
		input, err := command.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(input, exported[:len(exported)/2]); err != nil { // more than a pipe holds: it is being read
			t.Fatal(err)
		}
		if err := command.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		if err := command.Wait(); err == nil || command.ProcessState.ExitCode() != 1 || !strings.HasSuffix(errs.String(), "nothing was stored: interrupted\n") {
			t.Errorf("%v, %s", err, errs.String())
		}
		if code, _, errs := runProcess(t, strings.NewReader(exported), "import", "--database-url", target, "-"); code != 0 {
			t.Errorf("all of it: exit %d, %s", code, errs)
		}
	})
}

// TestImportCommitLost has Postgres end the connection while it commits an import: the command must not say that nothing
// was stored, which it cannot know.
func TestImportCommitLost(t *testing.T) {
	t.Parallel()
	source := apitest.Start(t, db.SQLite, messaging.Options{})
	sendMuch(t, source)
	_, exported, _ := runProcess(t, nil, "export", "--database-url", source.DatabaseURL)
	target := dbtest.NewURL(t, db.Postgres)
	dbtest.Open(t, target)
	dbtest.Execute(t, target,
		`CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END'`,
		`CREATE CONSTRAINT TRIGGER lose AFTER INSERT ON mailboxes DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION lose()`)
	code, _, errs := runProcess(t, strings.NewReader(exported), "import", "--database-url", target, "-")
	if code != 1 || strings.Contains(errs, "nothing was stored") || !strings.Contains(errs, "all of it was stored or nothing") {
		t.Errorf("exit %d, %s", code, errs)
	}
	dbtest.Execute(t, target, `DROP TRIGGER lose ON mailboxes`)
	if code, _, errs := runProcess(t, strings.NewReader(exported), "import", "--database-url", target, "-"); code != 0 {
		t.Errorf("again: exit %d, %s", code, errs)
	}
}
