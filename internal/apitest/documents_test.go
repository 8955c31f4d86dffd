//go:build tools

package apitest_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/message-service/message-service/api"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
)

// goProgram makes a program of statements that return an error.
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

// runGo runs statements in this module.
func runGo(t *testing.T, p *apitest.Process, statements string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "main.go")
	writeFile(t, file, strings.Replace(goProgram, "%s", statements, 1))
	runTool(t, p, ".", "go", "run", file)
}

// runPython checks programs together, which is faster, and runs each.
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

// runTypeScriptPrograms does the same in an app.
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

// TestBrowser reads /docs/ in Chromium and tries requests out; then it runs the code
// samples that the page shows for them. SCREENSHOTS names a folder for pictures.
func TestBrowser(t *testing.T) {
	p := startBinary(t, db.SQLite)
	samples := t.TempDir()
	app := newTypeScriptApp(t, p)
	t.Setenv("SAMPLES", samples)
	t.Setenv("NODE_MODULES", filepath.Join(app, "node_modules"))
	runTool(t, p, "swagger-ui/test", "node", "browser.mjs")
	python := installPython(t, p)
	found, err := filepath.Glob(filepath.Join(samples, "*"))
	if err != nil || len(found) != 36 {
		t.Fatalf("found the samples %v, want 4 of each of 9 operations", found)
	}
	pythons, typescripts := map[string]string{}, map[string]string{}
	for _, path := range found {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(path), filepath.Ext(path))
		switch text := string(content); filepath.Ext(path) {
		case ".curl":
			runTool(t, p, samples, "sh", "-c", strings.Replace(text, "curl", "curl --silent --fail-with-body", 1))
		case ".go":
			runGo(t, p, text)
		case ".python":
			pythons[name] = text
		case ".typescript":
			typescripts[name] = text
		}
	}
	runPython(t, p, python, pythons)
	runTypeScriptPrograms(t, p, app, typescripts)
}

// block is a fenced block of a Markdown text.
type block struct{ language, text string }

var fence = regexp.MustCompile("(?ms)^```(\\w+)\n(.*?)^```$")

// readBlocks returns the fenced blocks of a file, with the address of the server.
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

// programs gives each block a name.
func programs(blocks []block) map[string]string {
	named := map[string]string{}
	for i, b := range blocks {
		named[fmt.Sprintf("sample%d", i)] = b.text
	}
	return named
}

// TestSDKDocuments runs the examples of each SDK.
func TestSDKDocuments(t *testing.T) {
	p := startBinary(t, db.SQLite)
	for _, b := range readBlocks(t, p, "api/messageservice/README.md") {
		runGo(t, p, b.text)
	}
	app := newTypeScriptApp(t, p)
	runTypeScriptPrograms(t, p, app, programs(readBlocks(t, p, "gen/typescript/README.md")))
	runPython(t, p, installPython(t, p), programs(readBlocks(t, p, "gen/python/README.md")))
}

// varying is what differs from answer to answer.
var varying = regexp.MustCompile(`[0-9a-f]{64}|[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[0-9:.]+Z|urn:request:[0-9a-f]+|retry: \d+`)

var messageID = regexp.MustCompile(`"id":"([0-9a-f-]{36})"`)

// TestREADME runs the curls of the README, one after the other, and compares what
// they print with what the README says; and again, as people do.
func TestREADME(t *testing.T) {
	p := startBinary(t, db.SQLite)
	blocks := readBlocks(t, p, "README.md")
	for range 2 {
		runREADME(t, p, blocks)
	}
}

func runREADME(t *testing.T, p *apitest.Process, blocks []block) {
	t.Helper()
	ids := map[string]string{} // of the README's messages, to ours
	missing := map[string]bool{}
	for _, item := range contractDocument(t).Paths.Map() {
		for _, operation := range item.Operations() {
			missing[operation.OperationID] = true
		}
	}
	for i, b := range blocks {
		if b.language != "sh" || !strings.HasPrefix(b.text, "curl ") {
			continue
		}
		delete(missing, operationOf(t, b.text))
		command := strings.Replace(b.text, "curl ", "curl --silent --show-error ", 1)
		for theirs, ours := range ids {
			command = strings.ReplaceAll(command, theirs, ours)
		}
		if strings.Contains(command, " -N ") { // it would read for ever
			command = "timeout 2 " + strings.TrimSpace(command) + " || test $? = 124"
		}
		answer := runShell(t, p, command)
		if i+1 == len(blocks) || blocks[i+1].language == "sh" {
			if answer != "" {
				t.Errorf("%s printed %s, and the README says nothing", b.text, answer)
			}
			continue
		}
		want := strings.TrimSpace(blocks[i+1].text)
		if theirs, ours := messageID.FindStringSubmatch(want), messageID.FindStringSubmatch(answer); theirs != nil && ours != nil {
			ids[theirs[1]] = ours[1]
		}
		if got := strings.TrimSpace(answer); varying.ReplaceAllString(got, "*") != varying.ReplaceAllString(want, "*") {
			t.Errorf("%sprinted\n%s\nand the README says\n%s", b.text, got, want)
		}
		if blocks[i+1].language == "json" && !json.Valid([]byte(want)) {
			t.Errorf("the README's answer is no JSON: %s", want)
		}
	}
	if len(missing) > 0 {
		t.Errorf("the README has no curl for %v", slices.Sorted(maps.Keys(missing)))
	}
}

func contractDocument(t *testing.T) *openapi3.T {
	t.Helper()
	document, err := openapi3.NewLoader().LoadFromData(api.Document)
	if err != nil {
		t.Fatal(err)
	}
	document.Servers = nil // wherever the test server listens
	return document
}

var (
	curlMethod = regexp.MustCompile(`-X (\w+)`)
	curlURL    = regexp.MustCompile(`http://[^\s']+`)
)

// operationOf returns the operation that a curl is for.
func operationOf(t *testing.T, curl string) string {
	t.Helper()
	method := http.MethodGet
	if found := curlMethod.FindStringSubmatch(curl); found != nil {
		method = found[1]
	} else if strings.Contains(curl, "--json") {
		method = http.MethodPost
	}
	request, err := http.NewRequestWithContext(t.Context(), method, curlURL.FindString(curl), nil)
	if err != nil {
		t.Fatalf("%s: %v", curl, err)
	}
	router, err := gorillamux.NewRouter(contractDocument(t))
	if err != nil {
		t.Fatal(err)
	}
	route, _, err := router.FindRoute(request)
	if err != nil {
		t.Fatalf("%s is for no operation: %v", curl, err)
	}
	return route.Operation.OperationID
}

// TestContractCurls runs the curls in the description of the contract.
func TestContractCurls(t *testing.T) {
	p := startBinary(t, db.SQLite)
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
