//go:build tools

package apitest_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// listConversations returns the status of a request for the conversations of a user.
func listConversations(t *testing.T, server *apitest.Process, token, user string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/v1/users/"+url.PathEscape(user)+"/conversations", http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	return response.StatusCode
}

// TestTokensGuide starts the server as the guide says, has it make a token, and makes others by the programs.
func TestTokensGuide(t *testing.T) {
	start := fence.FindStringSubmatch(readFiles(t, ".md")[tokensGuide])[2]
	script := strings.Replace(start, "AUTH=required message-service", "printf %s $TOKEN_AUDIENCE,$TOKEN_SECRETS", 1)
	printed, err := exec.CommandContext(t.Context(), "sh", "-ec", script).Output()
	audience, secrets, found := strings.Cut(string(printed), ",")
	if err != nil || !found || script == start {
		t.Fatalf("%s printed %q: %v", script, printed, err)
	}
	t.Setenv("TOKEN_AUDIENCE", audience)
	t.Setenv("TOKEN_SECRETS", secrets)
	t.Setenv("SERVICE_KEY", strings.Repeat("a-service-key-", 3))
	p := apitest.StartProcess(t, "../../bin/message-service", dbtest.NewURL(t, db.SQLite), "AUTH=required")

	curl := strings.Replace(readBlocks(t, p, tokensGuide)[1].text, "curl ", "curl --silent --show-error --fail-with-body ", 1)
	var made struct{ Token string }
	if err := json.Unmarshal([]byte(runShell(t, p, curl)), &made); err != nil {
		t.Fatal(err)
	}
	tokens := map[string]string{"curl": made.Token}
	folder := t.TempDir()
	for name, program := range readNamedFiles(t, tokensGuide) {
		writeFile(t, filepath.Join(folder, name), program)
	}
	tools, _ := findTools(t)
	if err := os.Symlink(filepath.Join(tools, "node_modules"), filepath.Join(folder, "node_modules")); err != nil {
		t.Fatal(err)
	}
	tokens["Node"] = runTool(t, p, folder, "node", "token.mjs", "alice")
	tokens["Go"] = runTool(t, p, ".", "go", "run", filepath.Join(folder, "token.go"), "alice")
	tokens["the command"] = runTool(t, p, ".", "bin/message-service", "token", "alice")
	tokens["Python"] = runTool(t, p, folder, "python3", "token_for.py", "alice")
	for name, token := range tokens {
		if mine, others := listConversations(t, p, strings.TrimSpace(token), "alice"), listConversations(t, p, strings.TrimSpace(token), "bob"); mine != http.StatusOK || others != http.StatusForbidden {
			t.Errorf("%s: the token of alice got %d for alice and %d for bob", name, mine, others)
		}
	}
	runTool(t, p, folder, "mypy", "--strict", "token_for.py")
	if changes := runTool(t, p, folder, "gofmt", "-d", "token.go"); changes != "" {
		t.Errorf("gofmt changes %s", changes)
	}
}

// TestSecurity makes a service key as the document of security says, and reads and writes with it.
func TestSecurity(t *testing.T) {
	store := dbtest.NewURL(t, db.SQLite)
	p := apitest.StartProcess(t, "../../bin/message-service", store, "AUTH=required", "SERVICE_KEY="+apitest.ServiceKey)
	t.Setenv("DATABASE_URL", store)
	made := 0
	for _, b := range readBlocks(t, p, "docs/security.md") {
		script := "bin/" + strings.TrimSpace(b.text) + " 2>/dev/null" // where it says what to do with the key
		s := p.With(strings.TrimSpace(runShell(t, p, script)))
		s.Send(t, "alice", "bob", "Lunch at noon?")
		if page := s.List(t, client.ListMessagesParams{Recipient: new("bob")}); len(page.Messages) != made+1 {
			t.Errorf("a key of the document reads %d messages", len(page.Messages))
		}
		made++
	}
}
