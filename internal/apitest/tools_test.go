//go:build tools

package apitest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// These tests run the pinned tools of .tools against the binary of "make build"; the make
// targets that run them install and build both.

// startBinary runs that binary on an empty database, with the given options of its environment.
func startBinary(t *testing.T, options ...string) *apitest.Process {
	t.Helper()
	return apitest.StartProcess(t, "../../bin/message-service", dbtest.NewURL(t, db.SQLite), options...)
}

// findTools returns the folder of the pinned tools, and a PATH where they come first.
func findTools(t *testing.T) (folder, path string) {
	t.Helper()
	folder, err := filepath.Abs("../../.tools")
	if err != nil {
		t.Fatal(err)
	}
	return folder, filepath.Join(folder, "venv", "bin") + ":" + filepath.Join(folder, "node_modules", ".bin") + ":" + os.Getenv("PATH")
}

// runTool runs a program in a folder, absolute or relative to this repository, with the tools
// first on the PATH, the server's URL in BASE_URL, and the server's Environment.
func runTool(t *testing.T, p *apitest.Process, folder, name string, args ...string) (output string) {
	t.Helper()
	tools, path := findTools(t)
	command := exec.CommandContext(t.Context(), "env", append([]string{name}, args...)...) // env looks on that PATH
	if command.Dir = folder; !filepath.IsAbs(folder) {
		command.Dir = filepath.Join("../..", folder)
	}
	command.Env = slices.Concat(os.Environ(), []string{"BASE_URL=" + p.URL, "TOOLS=" + tools, "PATH=" + path, "NO_COLOR=1"}, p.Environment)
	printed, err := command.CombinedOutput()
	if err != nil || testing.Verbose() {
		t.Logf("%s\n%s", command, printed)
	}
	if err != nil {
		t.Errorf("%s: %v", name, err)
	}
	return string(printed)
}

func runShell(t *testing.T, p *apitest.Process, script string) string {
	t.Helper()
	return runTool(t, p, ".", "sh", "-ec", script)
}

// TestContract runs Schemathesis, which looks for responses that violate the contract, with a service key, and
// briefly without, when nothing but what is public may be served.
func TestContract(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		engine db.Engine
		key    string
		phases string
	}{
		"postgres":           {db.Postgres, apitest.ServiceKey, "examples,coverage,fuzzing,stateful"},
		"sqlite":             {db.SQLite, apitest.ServiceKey, "examples,coverage,fuzzing,stateful"},
		"without credential": {db.SQLite, "", "examples,coverage"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := apitest.StartProcess(t, "../../bin/message-service", dbtest.NewURL(t, test.engine), "SERVICE_KEY="+apitest.ServiceKey,
				"TOKEN_SECRETS="+apitest.TokenSecretID+"="+apitest.TokenSecret, "TOKEN_AUDIENCE="+apitest.TokenAudience, "RATE_LIMIT_FAILED=off")
			p.Environment = append(p.Environment, "SERVICE_KEY="+test.key)
			args := []string{"--config-file", "schemathesis.toml", "run", p.URL + "/openapi.json", "--checks", "all",
				"--phases", test.phases, "--max-examples", "100", "--generation-database", "none"}
			if test.key != "" {
				args = append(args, "--header", "Authorization: Bearer "+test.key)
			}
			runTool(t, p, "api", "schemathesis", args...)
			if err := p.Stop(t); err != nil || p.Log.Len() > 0 {
				t.Errorf("the server ended with %v and logged:\n%s", err, p.Log)
			}
		})
	}
}

// copyFolder copies a folder of this repository and returns the path of the copy.
func copyFolder(t *testing.T, folder, to string) string {
	t.Helper()
	if err := os.CopyFS(to, os.DirFS(filepath.Join("../..", folder))); err != nil {
		t.Fatal(err)
	}
	return to
}

// checkOut copies the committed files of a folder of this repository into a clone, and returns a
// new folder beside the clone.
func checkOut(t *testing.T, folder string) (clone, project string) {
	t.Helper()
	directory := t.TempDir()
	clone, project = filepath.Join(directory, "message-service"), filepath.Join(directory, "project")
	copied := copyFolder(t, folder, filepath.Join(clone, folder))
	for _, ignored := range []string{"node_modules", "dist"} {
		if err := os.RemoveAll(filepath.Join(copied, ignored)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(project, 0o750); err != nil {
		t.Fatal(err)
	}
	return clone, project
}

// newTypeScriptApp installs the TypeScript SDK into a new folder, as its README says.
func newTypeScriptApp(t *testing.T, p *apitest.Process) string {
	t.Helper()
	clone, app := checkOut(t, "gen/typescript")
	install(t, p, app, "gen/typescript/README.md")
	if left, err := filepath.Glob(filepath.Join(clone, "gen/typescript/package-lock.json")); err != nil || len(left) > 0 {
		t.Errorf("npm left %v (%v)", left, err)
	}
	if err := os.CopyFS(app, os.DirFS("../../api/sdk/typescript/test")); err != nil {
		t.Fatal(err)
	}
	runTool(t, p, app, "npm", "install", "--silent", "--no-audit", "--no-fund", "typescript@5.9.3", "@types/node@20.19.43")
	return app
}

// install runs the install command of an SDK's README.
func install(t *testing.T, p *apitest.Process, project, readme string) {
	t.Helper()
	for _, b := range readBlocks(t, p, readme) {
		if b.language == "sh" {
			runTool(t, p, project, "sh", "-ec", b.text)
			return
		}
	}
	t.Fatalf("%s does not say how to install it", readme)
}

func checkTypeScript(t *testing.T, p *apitest.Process, app string, files ...string) {
	t.Helper()
	check := []string{"tsc", "--strict", "--noEmit", "--target", "es2022", "--module", "nodenext", "--exactOptionalPropertyTypes", "--allowImportingTsExtensions"}
	runTool(t, p, app, "npx", append(check, files...)...)
}

func runTypeScript(t *testing.T, p *apitest.Process, app string, files ...string) {
	t.Helper()
	checkTypeScript(t, p, app, files...)
	for _, file := range files {
		runTool(t, p, app, "node", "--disable-warning=ExperimentalWarning", file)
	}
}

// startAuthenticatedBinary runs that binary with authentication, and further options. The tests of an SDK
// find its credentials in the environment, as the server does, and programs find the key in TOKEN.
func startAuthenticatedBinary(t *testing.T, options ...string) *apitest.Process {
	t.Helper()
	return startBinary(t, append(options, "TOKEN="+apitest.ServiceKey, "SERVICE_KEY="+apitest.ServiceKey,
		"TOKEN_SECRETS="+apitest.TokenSecretID+"="+apitest.TokenSecret, "TOKEN_AUDIENCE="+apitest.TokenAudience)...)
}

// TestTypeScript runs the tests of the TypeScript SDK.
func TestTypeScript(t *testing.T) {
	t.Parallel()
	p := startAuthenticatedBinary(t)
	server := startScenarios(t)
	p.Environment = append(p.Environment, "SCENARIOS="+server.URL)
	runTypeScript(t, p, newTypeScriptApp(t, p), "sdk.test.ts", "changes.test.ts", "streams.test.ts", "together.test.ts", "polling.test.ts",
		"groups.test.ts", "tokens.test.ts", "together-tokens.test.ts", "renewal.test.ts", "memory.test.ts", "scenarios.test.ts")
	server.check()
}

// installPython installs the Python SDK into a new virtual environment, as its README
// says, and returns its interpreter. The tools beside it see what they also have.
func installPython(t *testing.T, p *apitest.Process) (python string) {
	t.Helper()
	_, project := checkOut(t, "gen/python")
	runTool(t, p, project, "python3", "-m", "venv", "--without-pip", "venv")
	python = filepath.Join(project, "venv", "bin", "python3")
	p.Environment = append(p.Environment, "PIP_PYTHON="+python, "PIP_QUIET=1")
	install(t, p, project, "gen/python/README.md")
	return python
}

// TestPython runs the tests of the Python SDK.
func TestPython(t *testing.T) {
	t.Parallel()
	p := startAuthenticatedBinary(t)
	python := installPython(t, p)
	runTool(t, p, ".", "pip", "--python", python, "install", "--quiet", pinned(t, "pytest"))
	tests := copyFolder(t, "api/sdk/python/tests", t.TempDir()+"/tests")
	runTool(t, p, tests, "mypy", "--strict", "--python-executable", python, "test_sdk.py", "test_groups.py", "test_changes.py", "test_tokens.py", "test_renewal.py", "test_scenarios.py")
	for _, module := range []string{"changes", "retrying", "tokens"} {
		runTool(t, p, tests, "mypy", "--strict", "--python-executable", python, "--module", "message_service_client."+module)
	}
	server := startScenarios(t)
	p.Environment = append(p.Environment, "SCENARIOS="+server.URL)
	runTool(t, p, tests, python, "-m", "pytest", "-q")
	server.check()
}

// pinned returns the requirement of a tool, with its version.
func pinned(t *testing.T, name string) string {
	t.Helper()
	requirements, err := os.ReadFile("../../.tools/requirements.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(requirements)) {
		if strings.HasPrefix(line, name+"==") {
			return strings.TrimSpace(line)
		}
	}
	t.Fatalf("%s is not pinned", name)
	return ""
}
