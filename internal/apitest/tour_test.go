//go:build tools

package apitest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/routers/gorillamux"

	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/contract"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// paste runs the shell samples of a document in one shell, one after the other, and returns what each
// printed to standard output and its exit code.
func paste(t *testing.T, shell string, blocks []block) (answers []string, codes []string) {
	t.Helper()
	var script strings.Builder
	count := 0
	for _, b := range blocks {
		if b.language == "sh" {
			fmt.Fprintf(&script, "%sprintf '\\n=== %%s ===\\n' $?\n", b.text)
			count++
		}
	}
	command := exec.CommandContext(t.Context(), shell)
	command.Stdin = strings.NewReader(script.String())
	var errors bytes.Buffer
	command.Stderr = &errors
	output, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", shell, err, errors.String())
	}
	rest := string(output)
	for _, end := range regexp.MustCompile(`\n=== (\d+) ===\n`).FindAllStringSubmatch(rest, -1) {
		answer, after, _ := strings.Cut(rest, end[0])
		answers, codes, rest = append(answers, strings.TrimSpace(answer)), append(codes, end[1]), after
	}
	if len(answers) != count {
		t.Fatalf("%s ran %d of %d samples:\n%s", shell, len(answers), count, errors.String())
	}
	return answers, codes
}

// varying matches ids, addresses, times and secrets, which differ between runs.
var varying = regexp.MustCompile(`"id":"[0-9A-Za-z]{12}"|~tour-[0-9a-f]{8}|ms[kt]_[0-9A-Za-z_]+|[0-9a-f]{64}|[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT[0-9:.]+Z|urn:request:[0-9a-f]+|retry: \d+|"version":"[^"]*"|"(?:uptimeSeconds|sends|sendsPerSecond\d+s|streams|connections|maxConnections)":[0-9.]+`)

// comparePasted compares the output of the samples with the document. Ids and times may differ, but
// consistently: equal ones must stay equal.
func comparePasted(t *testing.T, blocks []block, answers, codes []string) {
	t.Helper()
	ours := map[string]string{} // our ids and times by those of the document
	for i, b := range blocks {
		if b.language != "sh" {
			continue
		}
		got, code := answers[0], codes[0]
		answers, codes = answers[1:], codes[1:]
		const timeout = "28" // of curl
		if code != "0" && (code != timeout || !strings.Contains(b.text, "--max-time")) {
			t.Errorf("%sended with %s", b.text, code)
		}
		want := ""
		if i+1 < len(blocks) && blocks[i+1].language != "sh" {
			want = strings.TrimSpace(blocks[i+1].text)
			if blocks[i+1].language == "json" && !json.Valid([]byte(want)) {
				t.Errorf("this is no JSON: %s", want)
			}
		}
		if varying.ReplaceAllString(got, "*") != varying.ReplaceAllString(want, "*") {
			t.Errorf("%sprinted\n%s\nand the document says\n%s", b.text, got, want)
			continue
		}
		actual := varying.FindAllString(got, -1)
		for j, theirs := range varying.FindAllString(want, -1) {
			if known, ok := ours[theirs]; ok && known != actual[j] {
				t.Errorf("%sthe document has %s for both %s and %s", b.text, theirs, known, actual[j])
			}
			ours[theirs] = actual[j]
		}
	}
}

// TestTour runs the tour in a shell, twice, and in another shell.
func TestTour(t *testing.T) {
	t.Parallel()
	p := startBinary(t)
	blocks := readBlocks(t, p, "docs/api/tour.md")
	for i := range blocks { // all of a stream has to come until curl gives up, also on a busy machine
		blocks[i].text = strings.Replace(blocks[i].text, "--max-time 2 ", "--max-time 10 ", 1)
	}
	missing := map[string]bool{}
	for _, item := range contract.Document().Paths.Map() {
		for _, operation := range item.Operations() {
			missing[operation.OperationID] = true
		}
	}
	for _, b := range blocks {
		for _, curl := range regexp.MustCompile(`curl [^|]+`).FindAllString(b.text, -1) {
			delete(missing, operationOf(t, curl))
		}
	}
	if len(missing) > 0 {
		t.Errorf("the tour has no curl for %v", slices.Sorted(maps.Keys(missing)))
	}
	for _, shell := range []string{"sh", "bash"} {
		twice := slices.Concat(blocks, blocks)
		answers, codes := paste(t, shell, twice)
		half := len(answers) / 2
		comparePasted(t, blocks, answers[:half], codes[:half])
		comparePasted(t, blocks, answers[half:], codes[half:])
	}
}

// TestREADME runs the curls of the README, and checks that no sample deletes data.
func TestREADME(t *testing.T) {
	p := startBinary(t)
	blocks := readBlocks(t, p, "README.md")
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range regexp.MustCompile("(?m)(?:^|`)make ([a-z-]+)").FindAllStringSubmatch(readFiles(t, "README.md")["README.md"], -1) {
		if !strings.Contains(string(makefile), "\n"+target[1]+": ") {
			t.Errorf("there is no make %s", target[1])
		}
	}
	blocks = slices.DeleteFunc(blocks, func(b block) bool { return strings.HasPrefix(b.text, "make ") })
	for _, b := range blocks {
		if strings.Contains(b.text, "DELETE") {
			t.Errorf("the README destroys: %s", b.text)
		}
	}
	answers, codes := paste(t, "sh", blocks)
	comparePasted(t, blocks, answers, codes)
}

// TestOperations migrates a store to Postgres as docs/operations.md says.
func TestOperations(t *testing.T) {
	store := dbtest.NewURL(t, db.SQLite)
	p := apitest.StartProcess(t, "../../bin/message-service", store)
	sent := p.Send(t, "alice", "bob", "Lunch at noon?")
	if err := p.Stop(t); err != nil {
		t.Fatal(err)
	}
	postgres := dbtest.NewURL(t, db.Postgres)
	program, err := filepath.Abs("../../bin/message-service")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for _, b := range readBlocks(t, p, "docs/operations.md") {
		script := strings.NewReplacer("message-service ", program+" ", "sqlite:message-service.db", store,
			"postgres://user:password@host/name", "'"+postgres+"'").Replace(b.text)
		runTool(t, p, folder, "sh", "-ec", script)
	}
	moved := apitest.StartProcess(t, "../../bin/message-service", postgres)
	if got := moved.Do(t, http.MethodGet, "/v1/messages/"+sent.ID.String(), nil); got.Status != http.StatusOK {
		t.Errorf("the message is not there: %d", got.Status)
	}
}

var (
	curlMethod = regexp.MustCompile(`-X (\w+)`)
	curlURL    = regexp.MustCompile(`http://[^\s'"]+`)
)

// operationOf returns the operation that a curl command calls.
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
	document := *apitest.Document()
	document.Servers = nil // the test server has another URL
	router, err := gorillamux.NewRouter(&document)
	if err != nil {
		t.Fatal(err)
	}
	route, _, err := router.FindRoute(request)
	if err != nil {
		t.Fatalf("%s is for no operation: %v", curl, err)
	}
	return route.Operation.OperationID
}
