package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/messaging"
)

// filesOf returns the names of the files of a SQLite database.
func filesOf(t *testing.T, path string) string {
	t.Helper()
	found, err := filepath.Glob(path + "*")
	if err != nil {
		t.Fatal(err)
	}
	for i := range found {
		found[i] = filepath.Base(found[i])
	}
	return strings.Join(found, " ")
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(to, content, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestStoppedStoreIsOneFile checks the files after each command, successful or not: the database
// must be a single file, with everything that was acknowledged.
func TestStoppedStoreIsOneFile(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "test.db")
	database := "sqlite:" + path
	p := startProcess(t, database)
	for i := range 3 {
		p.Send(t, "alice", "bob", fmt.Sprint(i))
	}
	p.List(t, client.ListMessagesParams{Recipient: new("bob"), Q: new("1")})
	if err := p.Stop(t); err != nil {
		t.Fatalf("%v\n%s", err, p.Log)
	}
	if names := filesOf(t, path); names != "test.db" {
		t.Errorf("after serve: %s", names)
	}
	copied := filepath.Join(folder, "copy.db")
	copyFile(t, path, copied)
	second := startProcess(t, "sqlite:"+copied)
	if page := second.List(t, client.ListMessagesParams{Recipient: new("bob")}); len(page.Messages) != 3 {
		t.Errorf("a copy of the file has %d messages", len(page.Messages))
	}

	exported, imported := filepath.Join(folder, "export.ndjson"), filepath.Join(folder, "imported.db")
	for _, command := range []struct {
		path string
		code int
		args []string
	}{
		{path, 0, []string{"migrate", "up", "--no-search"}},
		{path, 0, []string{"migrate", "up"}},
		{path, 0, []string{"migrate", "status"}},
		{path, 0, []string{"export", "--output", exported}},
		{imported, 1, []string{"import", path}}, // it is not an export
		{imported, 0, []string{"import", exported}},
		{imported, 1, []string{"import", exported}}, // it is not empty any more
		{imported, 1, []string{"serve", "--listen-address", strings.TrimPrefix(second.URL, "http://")}},
	} {
		args := slices.Concat(command.args, []string{"--database-url", "sqlite:" + command.path})
		if code, _, errs := runProcess(t, nil, args...); code != command.code {
			t.Errorf("%v: exit %d, %s", args, code, errs)
		}
		if names := filesOf(t, command.path); names != filepath.Base(command.path) {
			t.Errorf("after %v: %s", args, names)
		}
	}
}

// TestLogOfACrash kills a server: the next one must checkpoint the write-ahead log before it serves. With
// searches, it would soon write to the log by itself.
func TestLogOfACrash(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	start := func() *apitest.Process {
		return apitest.StartProcess(t, os.Args[0], "sqlite:"+path, "RUN_MESSAGE_SERVICE=1", "SEARCH=false")
	}
	p := start()
	for i := range 20 {
		p.Send(t, "alice", "bob", fmt.Sprint(i))
	}
	p.Kill()
	if info, err := os.Stat(path + "-wal"); err != nil || info.Size() == 0 {
		t.Fatalf("the crash left no log: %v", err)
	}
	p = start()
	if info, err := os.Stat(path + "-wal"); err != nil || info.Size() != 0 {
		t.Errorf("the log has %d bytes (%v)", info.Size(), err)
	}
	if page := p.List(t, client.ListMessagesParams{Recipient: new("bob")}); len(page.Messages) != 20 {
		t.Errorf("%d messages are left", len(page.Messages))
	}
}

// TestExportOfABusyServer exports a store repeatedly while messages are sent, edited, deleted and
// read: each export must be importable and have everything stored before it began.
func TestExportOfABusyServer(t *testing.T) {
	dbtest.Engines(t, testExportOfABusyServer)
}

func testExportOfABusyServer(t *testing.T, engine db.Engine) {
	s := apitest.Start(t, engine, messaging.Options{})
	before := map[string]bool{}
	for i := range 1200 { // more than one query of the export reads
		before[s.Send(t, "alice", "bob", fmt.Sprint(i)).ID.String()] = true
	}
	ctx, stop := context.WithCancel(t.Context())
	var busy sync.WaitGroup
	for i := range 4 {
		busy.Go(func() {
			random := rand.New(rand.NewPCG(uint64(i), 0))
			for ctx.Err() == nil {
				sender, recipient := users[random.IntN(len(users))], users[random.IntN(len(users))]
				m := s.Send(t, sender, recipient, "meanwhile")
				switch random.IntN(3) {
				case 0:
					s.Edit(t, m.ID, client.EditMessageRequest{Text: new("edited")})
				case 1:
					s.Delete(t, m.ID)
				default:
					s.Read(t, recipient, sender, m.ID)
				}
			}
		})
	}
	for range 3 {
		code, exported, errs := runProcess(t, nil, "export", "--database-url", s.DatabaseURL)
		if code != 0 {
			t.Fatalf("export: exit %d, %s", code, errs)
		}
		target := dbtest.NewURL(t, db.SQLite)
		if code, _, errs := runProcess(t, strings.NewReader(exported), "import", "--database-url", target, "-"); code != 0 {
			t.Errorf("import: exit %d, %s", code, errs)
		}
		missing := len(before)
		for line := range strings.Lines(exported) {
			var record client.ExportRecord
			if err := json.Unmarshal([]byte(line), &record); err != nil {
				t.Fatal(err)
			}
			if record.Message != nil && before[record.Message.ID.String()] {
				missing--
			}
		}
		if missing != 0 {
			t.Errorf("%d messages are missing that were there before", missing)
		}
	}
	stop()
	busy.Wait()
}
