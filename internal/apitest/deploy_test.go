//go:build tools

package apitest_test

import (
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

const deployGuide = "docs/guides/deploy.md"

// TestDeployGuide starts the binary with the settings of the guide, and has systemd read its unit. What root does
// there is not done.
func TestDeployGuide(t *testing.T) {
	files := readNamedFiles(t, deployGuide, "a=…", "a="+strings.Repeat("0123456789abcdef", 4))
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		settings := slices.DeleteFunc(strings.Fields(files["/etc/message-service/env"]), func(setting string) bool {
			return strings.HasPrefix(setting, "DATABASE_URL=")
		})
		p := apitest.StartProcess(t, "../../bin/message-service", dbtest.NewURL(t, engine), settings...)
		token := strings.TrimSpace(runTool(t, p, ".", "bin/message-service", "token", "alice"))
		if alice, nobody := listConversations(t, p, token, "alice"), listConversations(t, p, "", "alice"); alice != http.StatusOK || nobody != http.StatusUnauthorized {
			t.Errorf("alice got %d, and who has no token %d", alice, nobody)
		}
	})
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Skip("there is no systemd to read the unit")
	}
	program, err := filepath.Abs("../../bin/message-service")
	if err != nil {
		t.Fatal(err)
	}
	unit := filepath.Join(t.TempDir(), "message-service.service")
	writeFile(t, unit, strings.ReplaceAll(files["/etc/systemd/system/message-service.service"], "/usr/local/bin/message-service", program))
	printed, err := exec.CommandContext(t.Context(), "systemd-analyze", "verify", "--man=no", unit).CombinedOutput()
	if err != nil || strings.Contains(string(printed), filepath.Base(unit)) {
		t.Errorf("systemd-analyze: %v\n%s", err, printed)
	}
}
