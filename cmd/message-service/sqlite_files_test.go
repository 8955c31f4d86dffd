package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestStoreRemoved removes, replaces and overwrites the files of a running server. From then on
// nothing may be acknowledged, since a restart would not find it, even if the files are put back.
func TestStoreRemoved(t *testing.T) {
	t.Parallel()
	for name, take := range map[string]func(path string) error{
		"removed":        os.Remove,
		"renamed":        func(path string) error { return os.Rename(path, path+".old") },
		"log removed":    func(path string) error { return os.Remove(path + "-wal") },
		"log renamed":    func(path string) error { return os.Rename(path+"-wal", path+".old") },
		"folder renamed": func(path string) error { return os.Rename(filepath.Dir(path), filepath.Dir(path)+".old") },
		"replaced":       replace,
		"index removed":  func(path string) error { return os.Remove(path + "-shm") }, // the next process creates another one, with separate locks
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
				t.Errorf("it logged that %d times:\n%s", said, p.Log)
			}
		})
	}
}

// TestStoreOverwritten overwrites the files of a running server, as when a backup is restored. At its end
// the server must not write to them: a checkpoint of its write-ahead log would destroy the other store.
func TestStoreOverwritten(t *testing.T) {
	t.Parallel()
	put := slices.Repeat([]byte("what an operator has put there. "), 4096)
	for name, take := range map[string]func(path string) error{
		"the store": func(path string) error { return os.WriteFile(path, put, 0o600) },
		"the log":   func(path string) error { return os.WriteFile(path+"-wal", put, 0o600) },
		"the store without log and index": func(path string) error {
			return errors.Join(os.Remove(path+"-wal"), os.Remove(path+"-shm"), os.WriteFile(path, put, 0o600))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "test.db")
			p := startProcess(t, "sqlite:"+path)
			p.Send(t, "alice", "bob", "before")
			if err := take(path); err != nil {
				t.Fatal(err)
			}
			content := func() string {
				store, err := os.ReadFile(path)
				log, _ := os.ReadFile(path + "-wal") // there may be none
				return fmt.Sprint(err, string(store), string(log))
			}
			want := content()
			if answer := p.Do(t, http.MethodGet, "/ready", nil); answer.Status != http.StatusServiceUnavailable {
				t.Errorf("ready: answered %d", answer.Status)
			}
			if err := p.Stop(t); err != nil {
				t.Errorf("it ended with %v", err)
			}
			if content() != want {
				t.Error("the end of the server changed what was put there")
			}
		})
	}
}

// TestStoreHidden makes the store's path unreadable for a moment, which does not show that the store
// has changed: later sends must be stored.
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
	link("test.db.link") // a loop of symbolic links
	send(http.StatusServiceUnavailable)
	link("test.db")
	send(http.StatusCreated)
}

// overwrite writes another store of the same length to a file, and waits until its modification time
// differs.
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

// replace replaces a file by a copy.
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
