package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/messaging"
)

// filesOf are the names of the files of a SQLite database.
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

// TestStoppedStoreIsOneFile looks at the files after each command, well ended or not: a
// copy of the one file has everything that was acknowledged.
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
		{imported, 1, []string{"import", path}}, // it is no export
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

// TestLogOfACrash kills a server: the next one has the log in the file before it answers.
func TestLogOfACrash(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	p := startProcess(t, "sqlite:"+path)
	for i := range 20 {
		p.Send(t, "alice", "bob", fmt.Sprint(i))
	}
	p.Kill()
	if info, err := os.Stat(path + "-wal"); err != nil || info.Size() == 0 {
		t.Fatalf("the crash left no log: %v", err)
	}
	p = startProcess(t, "sqlite:"+path)
	if info, err := os.Stat(path + "-wal"); err != nil || info.Size() != 0 {
		t.Errorf("the log has %d bytes (%v)", info.Size(), err)
	}
	if page := p.List(t, client.ListMessagesParams{Recipient: new("bob")}); len(page.Messages) != 20 {
		t.Errorf("%d messages are left", len(page.Messages))
	}
}

// TestStoreRemoved removes, replaces and overwrites the files of a running server. Nothing is
// acknowledged from then on, since a restart would not find it, whatever is put back.
func TestStoreRemoved(t *testing.T) {
	t.Parallel()
	for name, take := range map[string]func(path string) error{
		"removed":        os.Remove,
		"renamed":        func(path string) error { return os.Rename(path, path+".old") },
		"log removed":    func(path string) error { return os.Remove(path + "-wal") },
		"log renamed":    func(path string) error { return os.Rename(path+"-wal", path+".old") },
		"folder renamed": func(path string) error { return os.Rename(filepath.Dir(path), filepath.Dir(path)+".old") },
		"replaced":       replace,
		"index removed":  func(path string) error { return os.Remove(path + "-shm") }, // the next process makes another, with locks of its own
		"index renamed":  func(path string) error { return os.Rename(path+"-shm", path+".old") },
		"log replaced":   func(path string) error { return replace(path + "-wal") },
		"overwritten":    overwrite,
		"truncated":      func(path string) error { return os.Truncate(path, 4096) },
		"log truncated":  func(path string) error { return os.Truncate(path+"-wal", 0) },
		"log overwritten": func(path string) error {
			content, err := os.ReadFile(path + "-wal")
			if err != nil {
				return err
			}
			return os.WriteFile(path+"-wal", make([]byte, len(content)), 0o600)
		},
		"link to elsewhere": func(path string) error {
			return errors.Join(os.Remove(path+".link"), os.Symlink("nowhere", path+".link"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "data", "test.db")
			if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			served := path + ".link"
			if err := os.Symlink("test.db", served); err != nil {
				t.Fatal(err)
			}
			p := startProcess(t, "sqlite:"+served)
			m := p.Send(t, "alice", "bob", "before")
			if err := take(path); err != nil {
				t.Fatal(err)
			}
			for _, request := range []struct{ method, path, body string }{
				{http.MethodPost, "/v1/messages", `{"sender": "alice", "recipient": "bob", "text": "after"}`},
				{http.MethodPatch, "/v1/messages/" + m.ID.String(), `{"text": "after"}`},
				{http.MethodDelete, "/v1/messages/" + m.ID.String(), ""},
				{http.MethodDelete, "/v1/users/alice", ""},
				{http.MethodPut, "/v1/users/bob/blocks/alice", ""},
				{http.MethodGet, "/v1/messages?recipient=bob", ""},
				{http.MethodGet, "/ready", ""},
			} {
				var body io.Reader
				var header []string
				if request.body != "" {
					body, header = strings.NewReader(request.body), []string{"Content-Type: application/json"}
				}
				if answer := p.Do(t, request.method, request.path, body, header...); answer.Status != http.StatusServiceUnavailable {
					t.Errorf("%s %s: answered %d %s", request.method, request.path, answer.Status, answer.Body)
				}
			}
			if answer := p.Do(t, http.MethodGet, "/health", nil); answer.Status != http.StatusOK {
				t.Errorf("health: answered %d", answer.Status)
			}
			if err := p.Stop(t); err != nil {
				t.Errorf("it ended with %v", err)
			}
			if said := strings.Count(p.Log.String(), "removed, replaced or overwritten while it was open"); said != 1 {
				t.Errorf("it said so %d times:\n%s", said, p.Log)
			}
		})
	}
}

// TestStoreHidden makes it impossible for a moment to look at the store, which says nothing
// of what is there: what comes later is stored.
func TestStoreHidden(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	link := func(to string) {
		t.Helper()
		if err := errors.Join(os.RemoveAll(path+".link"), os.Symlink(to, path+".link")); err != nil {
			t.Fatal(err)
		}
	}
	link("test.db")
	p := startProcess(t, "sqlite:"+path+".link")
	send := func(want int) {
		t.Helper()
		body := strings.NewReader(`{"sender": "alice", "recipient": "bob", "text": "hello"}`)
		if answer := p.Do(t, http.MethodPost, "/v1/messages", body, "Content-Type: application/json"); answer.Status != want {
			t.Errorf("answered %d %s", answer.Status, answer.Body)
		}
	}
	send(http.StatusCreated)
	link("test.db.link") // in a circle
	send(http.StatusServiceUnavailable)
	link("test.db")
	send(http.StatusCreated)
}

// overwrite writes a store that is as long into a file. No later than the clock of the
// file system has moved, it has another time.
func overwrite(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, err := os.Stat(path)
	for now := before; err == nil && now.ModTime().Equal(before.ModTime()); {
		if err = os.WriteFile(path, content, 0o600); err == nil {
			now, err = os.Stat(path)
		}
	}
	return err
}

// replace puts a copy in the place of a file.
func replace(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", content, fs.FileMode(0o600)); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

// TestExportOfABusyServer exports a store again and again while messages are sent, edited,
// deleted and read: each export can be imported, and has what was there before it began.
func TestExportOfABusyServer(t *testing.T) {
	apitest.Engines(t, testExportOfABusyServer)
}

func testExportOfABusyServer(t *testing.T, engine db.Engine) {
	s := apitest.Start(t, engine, messaging.Options{})
	before := map[string]bool{}
	for i := range 1200 { // more than one portion
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
		target := apitest.NewDatabaseURL(t, db.SQLite)
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
