//go:build tools

package apitest_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/message-service/message-service/internal/apitest"
)

// goProgram wraps statements that return an error in a program.
const goProgram = `package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/google/uuid"
	"github.com/oapi-codegen/nullable"

	"github.com/message-service/message-service/api/messageservice"
	"github.com/message-service/message-service/gen/client"
)

var (
	_ = time.Now
	_ = uuid.New
	_ nullable.Nullable[int]
	_ client.Message
)

func run(ctx context.Context) error {
%s
return nil
}

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}
`

// runGo runs a program in this module.
func runGo(t *testing.T, p *apitest.Process, program string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "main.go")
	writeFile(t, file, program)
	runTool(t, p, ".", "go", "run", file)
}

// runPython type-checks all programs at once, which is faster, and runs each.
func runPython(t *testing.T, p *apitest.Process, python string, programs map[string]string) {
	t.Helper()
	directory := t.TempDir()
	check := []string{"--strict", "--python-executable", python}
	for name, program := range programs {
		writeFile(t, filepath.Join(directory, name+".py"), program)
		check = append(check, name+".py")
	}
	runTool(t, p, directory, "mypy", check...)
	for name := range programs {
		runTool(t, p, directory, python, name+".py")
	}
}

// runTypeScriptPrograms is runPython for TypeScript, in an app.
func runTypeScriptPrograms(t *testing.T, p *apitest.Process, app string, programs map[string]string) {
	t.Helper()
	var files []string
	for name, program := range programs {
		writeFile(t, filepath.Join(app, name+".ts"), program)
		files = append(files, name+".ts")
	}
	runTypeScript(t, p, app, files...)
}

func writeFile(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// block is a fenced block of a Markdown text.
type block struct{ language, text string }

var fence = regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$")

// readBlocks returns the fenced blocks of a file, with the test server's URL.
func readBlocks(t *testing.T, p *apitest.Process, path string) []block {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("../..", path))
	if err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(string(content), "http://localhost:8080", p.URL)
	var blocks []block
	for _, match := range fence.FindAllStringSubmatch(text, -1) {
		blocks = append(blocks, block{match[1], match[2]})
	}
	if len(blocks) == 0 {
		t.Fatalf("%s has no fenced blocks", path)
	}
	return blocks
}

// programs gives each block in a language a name.
func programs(language string, blocks []block) map[string]string {
	named := map[string]string{}
	for i, b := range blocks {
		if b.language == language {
			named[fmt.Sprintf("sample%d", i)] = b.text
		}
	}
	return named
}

// TestSDKDocuments installs each SDK as its README says, and runs its examples.
func TestSDKDocuments(t *testing.T) {
	t.Parallel()
	p := startBinary(t, "TOKEN=any") // the samples send it, and with AUTH=off the server ignores it
	runGoDocument(t, p)
	app := newTypeScriptApp(t, p)
	runTypeScriptPrograms(t, p, app, programs("ts", readBlocks(t, p, "gen/typescript/README.md")))
	runPython(t, p, installPython(t, p), programs("python", readBlocks(t, p, "gen/python/README.md")))
}

// runGoDocument runs the first example in a new module, as the README says, and the others, which are
// statements, in programs of this module.
func runGoDocument(t *testing.T, p *apitest.Process) {
	t.Helper()
	const readme = "api/messageservice/README.md"
	repository, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	directory := t.TempDir()
	project := filepath.Join(directory, "hello")
	if err := errors.Join(os.Mkdir(project, 0o750), os.Symlink(repository, filepath.Join(directory, "message-service"))); err != nil {
		t.Fatal(err)
	}
	for _, b := range readBlocks(t, p, readme) {
		switch {
		case strings.HasPrefix(b.text, "package main"):
			writeFile(t, filepath.Join(project, "main.go"), b.text)
		case b.language == "sh":
			runTool(t, p, project, "sh", "-ec", b.text)
		case b.language == "go":
			runGo(t, p, strings.Replace(goProgram, "%s", b.text, 1))
		}
	}
}

// TestContractCurls runs the curls in the description of the contract.
func TestContractCurls(t *testing.T) {
	p := startBinary(t)
	content, err := os.ReadFile("../../api/openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?ms)^ +```sh\n(.*?)^ +```$").FindAllStringSubmatch(string(content), -1)
	if len(found) == 0 {
		t.Fatal("found no curls")
	}
	for _, match := range found {
		script := strings.ReplaceAll(match[1], "http://localhost:8080", p.URL)
		runShell(t, p, strings.ReplaceAll(script, "curl ", "curl --silent --show-error --fail-with-body "))
	}
}
