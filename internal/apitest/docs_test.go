//go:build tools

package apitest_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/contract"
)

// TestBrowser opens /docs/ in Chromium and tries requests out, and uses the service from
// same-origin and cross-origin pages. Then it checks the code samples of every operation, and
// runs those that the page showed for the requests it made. It does so without and with authentication;
// the samples are those with. SCREENSHOTS names a folder for screenshots.
func TestBrowser(t *testing.T) {
	t.Parallel()
	p := startBinary(t)
	app := newTypeScriptApp(t, p)
	browse := func(t *testing.T, p *apitest.Process, samples string) {
		t.Helper()
		p.Environment = append(p.Environment, "NODE_MODULES="+filepath.Join(app, "node_modules"), "SAMPLES="+samples)
		runTool(t, p, "swagger-ui/test", "node", "docs.mjs")
		runTool(t, p, "swagger-ui/test", "node", "browser.mjs")
	}
	t.Run("off", func(t *testing.T) {
		t.Parallel()
		browse(t, p, t.TempDir())
	})
	t.Run("required", func(t *testing.T) {
		t.Parallel()
		s := samples{test: t, server: startAuthenticatedBinary(t), app: app, folders: map[string]string{"check": t.TempDir(), "run": t.TempDir()}}
		browse(t, s.server, s.folders["run"])
		s.check()
	})
}

// samples are the code samples in two folders: one whose programs are only checked, and one
// whose programs are also run. A file is named after the operation and the language.
type samples struct {
	test    *testing.T
	server  *apitest.Process
	app     string            // with the TypeScript SDK
	folders map[string]string // check, run
}

// check checks the samples that the page showed and those of every operation, and runs the former.
func (s *samples) check() {
	t := s.test
	t.Helper()
	if found := s.files("run", ".*"); len(found) != 36 {
		t.Fatalf("found the samples %v, want 4 of each of 9 operations", found)
	}
	s.server.Environment = append(s.server.Environment, "SAMPLES="+s.folders["check"])
	runTool(t, s.server, "swagger-ui/test", "node", "samples.mjs")
	operations := 0
	for _, item := range contract.Document().Paths.Map() {
		operations += len(item.Operations())
	}
	if found := s.files("check", ".*"); len(found) < 4*2*operations {
		t.Fatalf("found %d samples of %d operations, want 2 in each of 4 languages", len(found), operations)
	}
	s.checkGo()
	s.checkCurl()
	s.checkPython()
	s.checkTypeScript()
}

func (s *samples) files(folder, language string) []string {
	found, err := filepath.Glob(filepath.Join(s.folders[folder], "*"+language))
	if err != nil || len(found) == 0 {
		s.test.Fatalf("found no samples %s: %v", language, err)
	}
	return found
}

// checkGo compiles the programs, each as a package of this module, and builds those to run.
func (s *samples) checkGo() {
	t := s.test
	t.Helper()
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	var all []string
	for folder := range s.folders {
		for _, path := range s.files(folder, ".go") {
			file, err := filepath.Abs(filepath.Join("../../bin/samples", folder, baseName(path), "main.go"))
			if err != nil {
				t.Fatal(err)
			}
			overlay.Replace[file] = path
			all = append(all, path)
		}
	}
	replaced, err := json.Marshal(overlay)
	if err != nil {
		t.Fatal(err)
	}
	directory := t.TempDir()
	file := filepath.Join(directory, "overlay.json")
	writeFile(t, file, string(replaced))
	if unformatted := runShell(t, s.server, "gofmt -d "+strings.Join(all, " ")); unformatted != "" {
		t.Errorf("gofmt changes %s", unformatted)
	}
	runTool(t, s.server, ".", "go", "list", "-export", "-f", "{{with .Error}}{{.}}{{end}}", "-overlay", file, "./bin/samples/...") // does not link them
	runTool(t, s.server, ".", "go", "build", "-overlay", file, "-o", directory, "./bin/samples/run/...")
	for _, path := range s.files("run", ".go") {
		runTool(t, s.server, ".", filepath.Join(directory, baseName(path)))
	}
}

func (s *samples) checkCurl() {
	s.test.Helper()
	for _, path := range s.files("check", ".curl") {
		runTool(s.test, s.server, ".", "sh", "-n", path)
	}
	for _, path := range s.files("run", ".curl") {
		runShell(s.test, s.server, strings.Replace(s.read(path), "curl", "curl --silent --show-error --fail-with-body", 1))
	}
}

func (s *samples) checkPython() {
	t := s.test
	t.Helper()
	python, directory := installPython(t, s.server), t.TempDir()
	check := []string{"--strict", "--python-executable", python}
	for folder := range s.folders {
		for _, path := range s.files(folder, ".python") {
			name := folder + "_" + baseName(path) + ".py"
			writeFile(t, filepath.Join(directory, name), s.read(path))
			check = append(check, name)
		}
	}
	runTool(t, s.server, directory, "mypy", check...)
	for _, path := range s.files("run", ".python") {
		runTool(t, s.server, directory, python, path)
	}
}

func (s *samples) checkTypeScript() {
	t := s.test
	t.Helper()
	var check, run []string
	for folder := range s.folders {
		for _, path := range s.files(folder, ".typescript") {
			name := folder + "_" + baseName(path) + ".ts"
			writeFile(t, filepath.Join(s.app, name), s.read(path))
			if check = append(check, name); folder == "run" {
				run = append(run, name)
			}
		}
	}
	checkTypeScript(t, s.server, s.app, check...)
	for _, name := range slices.Sorted(slices.Values(run)) {
		runTool(t, s.server, s.app, "node", "--disable-warning=ExperimentalWarning", name)
	}
}

func (s *samples) read(path string) string {
	s.test.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		s.test.Fatal(err)
	}
	return string(content)
}

func baseName(path string) string {
	return strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
}
