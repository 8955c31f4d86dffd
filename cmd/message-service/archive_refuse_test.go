package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestArchiveRefuses checks the errors for mistakes, and that these create no files.
func TestArchiveRefuses(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	in := func(name string) string { return filepath.Join(folder, name) }
	empty, old := in("empty.ndjson"), "sqlite:"+in("old.db")
	for _, path := range []string{empty, in("old.db")} {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	good := "sqlite:" + in("good.db")
	if code, _, errs := runHere(t, "migrate", "up", "--database-url", good); code != 0 {
		t.Fatal(errs)
	}
	if err := errors.Join(os.Symlink("good.db", in("symlink")), os.Link(in("good.db"), in("hardlink"))); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args []string
		says string
	}{
		"export of nothing":      {[]string{"export", "--database-url", "sqlite:" + in("none.db")}, "there is no SQLite file " + in("none.db")},
		"status of nothing":      {[]string{"migrate", "status", "--database-url", "sqlite:" + in("none.db")}, "there is no SQLite file"},
		"export of an old store": {[]string{"export", "--database-url", old}, "lacks 00001_messages.sql: bring it up to date first"},
		"export to a folder":     {[]string{"export", "--database-url", good, "--output", folder}, "is no regular file"},
		"export to nowhere":      {[]string{"export", "--database-url", good, "--output", in("x/y")}, "cannot write " + in("x/y") + ": no such file or directory"},
		"export over itself":     {[]string{"export", "--database-url", good, "--output", in("good.db")}, "is the database itself"},
		"export over its log":    {[]string{"export", "--database-url", good, "--output", in("good.db-wal")}, "is the database itself"},
		"export over its shm":    {[]string{"export", "--database-url", good, "--output", in("good.db-shm")}, "is the database itself"},
		"export through a link":  {[]string{"export", "--database-url", good, "--output", in("symlink")}, "is the database itself"},
		"export to a hard link":  {[]string{"export", "--database-url", good, "--output", in("hardlink")}, "is the database itself"},
		"export from a link":     {[]string{"export", "--database-url", "sqlite:" + in("symlink"), "--output", in("good.db-wal")}, "is the database itself"},
		"import of nothing":      {[]string{"import", "--database-url", "sqlite:" + in("none.db"), in("none.ndjson")}, "none.ndjson: no such file"},
		"import of a folder":     {[]string{"import", "--database-url", good, folder}, "is a directory"},
		"import of an empty":     {[]string{"import", "--database-url", good, empty}, "nothing was stored: line 1: the file ends before its last line: it was cut short"},
	} {
		if code, out, errs := runHere(t, test.args...); code != 1 || out != "" || !strings.Contains(errs, test.says) || strings.Count(errs, "\n") != 1 {
			t.Errorf("%s: exit %d, want 1 and one line with %q\nstdout: %s\nstderr: %s", name, code, test.says, out, errs)
		}
	}
	if made, err := filepath.Glob(in("*none*")); err != nil || len(made) != 0 {
		t.Errorf("made %v (%v)", made, err)
	}
}
