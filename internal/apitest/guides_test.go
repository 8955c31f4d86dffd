//go:build tools

package apitest_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/message-service/message-service/internal/db"
)

var namedFile = regexp.MustCompile("(?ms)`([\\w.]+)`:\n\n```\\w+\n(.*?)^```$")

// readNamedFiles returns the files that a guide shows, each after its name, with the
// replacements made.
func readNamedFiles(t *testing.T, guide string, replacements ...string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, match := range namedFile.FindAllStringSubmatch(readFiles(t, ".md")[guide], -1) {
		files[match[1]] = strings.NewReplacer(replacements...).Replace(match[2])
	}
	if len(files) == 0 {
		t.Fatalf("%s shows no files", guide)
	}
	return files
}

// TestInboxGuide follows the guide in a copy of the SDK, and opens the app in Chromium.
func TestInboxGuide(t *testing.T) {
	p := startBinary(t, db.SQLite)
	folder := t.TempDir()
	checkout := filepath.Join(folder, "message-service")
	copyFolder(t, "gen/typescript", filepath.Join(checkout, "gen", "typescript"))
	for _, generated := range []string{"node_modules", "dist"} {
		if err := os.RemoveAll(filepath.Join(checkout, "gen", "typescript", generated)); err != nil {
			t.Fatal(err)
		}
	}
	for _, b := range readBlocks(t, p, "docs/guides/inbox.md") {
		if b.language == "sh" && !strings.HasPrefix(b.text, "npx vite") {
			runTool(t, p, checkout, "sh", "-ec", b.text)
		}
	}
	app := filepath.Join(folder, "inbox")
	var programs []string
	for name, content := range readNamedFiles(t, "docs/guides/inbox.md", "http://localhost:8080", p.URL) {
		writeFile(t, filepath.Join(app, name), content)
		if filepath.Ext(name) == ".ts" {
			programs = append(programs, name)
		}
	}
	check := []string{"tsc", "--strict", "--noEmit", "--target", "es2022", "--lib", "es2023,dom,dom.iterable",
		"--module", "esnext", "--moduleResolution", "bundler", "--skipLibCheck"} // of Vite's own
	runTool(t, p, app, "npx", append(check, programs...)...)
	driver, err := filepath.Abs("testdata/inbox.mjs")
	if err != nil {
		t.Fatal(err)
	}
	runTool(t, p, app, "node", driver)
	runTool(t, p, app, "npx", "vite", "build")
}
