//go:build tools

package apitest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// TestConsoleBrowser tests the screens of the console in Chromium, over TLS and so over HTTP/2, without
// and with authentication. ONLY selects parts of it, separated by commas.
func TestConsoleBrowser(t *testing.T) {
	t.Parallel()
	certificate, key := writeCertificate(t)
	tls := []string{"TLS_CERT_FILE=" + certificate, "TLS_KEY_FILE=" + key, "PICTURE="}
	t.Run("off", func(t *testing.T) {
		t.Parallel()
		runTool(t, startBinary(t, tls...), "console/test/browser", "node", "browser.mjs")
	})
	t.Run("required", func(t *testing.T) {
		t.Parallel()
		runTool(t, startAuthenticatedBinary(t, tls...), "console/test/browser", "node", "browser.mjs")
	})
}

// TestConsolePicture writes the README's screenshot to the file PICTURE, if that is set.
func TestConsolePicture(t *testing.T) {
	picture := os.Getenv("PICTURE")
	if picture == "" {
		t.Skip("PICTURE names no file")
	}
	picture, err := filepath.Abs(filepath.Join("../..", picture))
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PICTURE", picture)
	url := dbtest.NewURL(t, db.SQLite)
	t.Setenv("DATABASE_URL", url)
	demo := exec.CommandContext(t.Context(), "../../bin/message-service", "demo")
	if output, err := demo.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	runTool(t, apitest.StartProcess(t, "../../bin/message-service", url), "console/test/browser", "node", "browser.mjs")
}
