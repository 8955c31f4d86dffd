//go:build tools

package apitest_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// TestMakeService runs "make service" with a docker that does nothing, and then what it printed, against a
// server with the credentials that it wrote.
func TestMakeService(t *testing.T) {
	folder := t.TempDir()
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(folder, "Makefile"), string(makefile))
	docker := filepath.Join(folder, "docker")
	writeFile(t, docker, "#!/bin/sh\n")
	if err := os.Chmod(docker, 0o700); err != nil { //nolint:gosec // it is a program
		t.Fatal(err)
	}
	settings := filepath.Join(folder, ".env")                                       // readable by others, and without a line end
	if err := os.WriteFile(settings, []byte("LOG_LEVEL=warn"), 0o644); err != nil { //nolint:gosec // that is to be mended
		t.Fatal(err)
	}
	service := func() (printed, written string) {
		command := exec.CommandContext(t.Context(), "make", "--no-print-directory", "service")
		command.Dir = folder
		command.Env = append(os.Environ(), "PATH="+folder+":"+os.Getenv("PATH"))
		output, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, output)
		}
		content, err := os.ReadFile(settings)
		if err != nil {
			t.Fatal(err)
		}
		return string(output), string(content)
	}
	printed, written := service()
	if _, again := service(); again != written {
		t.Errorf("the second time it wrote %q, after %q", again, written)
	}
	if info, err := os.Stat(settings); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("others can read .env: %v %v", info.Mode(), err)
	}
	lines := strings.Fields(written)
	if len(lines) != 3 || lines[0] != "LOG_LEVEL=warn" {
		t.Fatalf(".env is %q", written)
	}
	_, key, _ := strings.Cut(lines[1], "SERVICE_KEY=")
	if len(key) != 64 || strings.Contains(printed, key) {
		t.Errorf("the key %q is short, or printed to what is no terminal: %s", key, printed)
	}
	compose, err := os.ReadFile(filepath.Join(root, "compose.yaml"))
	if err != nil || !bytes.Contains(compose, []byte("AUTH: required")) || !bytes.Contains(compose, []byte("SERVICE_KEY: ${SERVICE_KEY:-}")) {
		t.Errorf("compose.yaml does not require the key: %v", err)
	}

	p := apitest.StartProcess(t, "../../bin/message-service", dbtest.NewURL(t, db.SQLite), append(lines, "AUTH=required", "TOKEN_AUDIENCE=message-service")...)
	_, curl, _ := strings.Cut(printed, "\n\n")
	sent := runTool(t, p, folder, "sh", "-ec", strings.NewReplacer("http://127.0.0.1:8080", p.URL, "curl", "curl --silent --fail-with-body").Replace(curl))
	if !strings.Contains(sent, "Lunch at noon?") {
		t.Errorf("it printed %s, which answers %s", curl, sent)
	}
}
