package messageservice_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const program = `package main

import (
	"context"
	"fmt"

	"github.com/message-service/message-service/api/messageservice"
	"github.com/message-service/message-service/gen/client"
)

func main() {
	api, err := messageservice.New("http://localhost:8080")
	if err != nil {
		panic(err)
	}
	lunch := client.SendMessageRequest{Sender: "alice", Recipient: "bob", Text: "Lunch at noon?"}
	if _, err := messageservice.Check(api.SendMessageWithResponse(context.Background(), nil, lunch)); err != nil {
		panic(err)
	}
	for change, err := range messageservice.Follow(context.Background(), api, "bob", nil) {
		fmt.Println(change.Cursor, err)
	}
}
`

// TestModule compiles a program that uses the client, in a module of its own, and checks that no
// dependency of the server is in its go.mod or go.sum. go mod tidy also resolves the imports of the tests
// of each imported package, so those tests must not import the server either.
func TestModule(t *testing.T) {
	t.Parallel()
	repository, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	write(t, filepath.Join(folder, "main.go"), program)
	write(t, filepath.Join(folder, "go.mod"), "module example.com/hello\n\ngo 1.26.0\n\n"+
		"require github.com/message-service/message-service v0.0.0\n\n"+
		"replace github.com/message-service/message-service => "+repository+"\n")
	write(t, filepath.Join(folder, "go.sum"), read(t, "../../go.sum")) // so that the checksum database is not needed
	for _, args := range [][]string{{"mod", "tidy"}, {"build", "-o", "hello", "."}} {
		command := exec.CommandContext(t.Context(), "go", args...)
		command.Dir = folder
		if output, err := command.CombinedOutput(); err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, output)
		}
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		text := read(t, filepath.Join(folder, name))
		if !strings.Contains(text, "github.com/oapi-codegen/runtime v") {
			t.Errorf("%s lacks the runtime of the generated client:\n%s", name, text)
		}
		for _, module := range []string{"modernc.org/sqlite", "github.com/lib/pq", "github.com/labstack/echo", "github.com/getkin/kin-openapi"} {
			if strings.Contains(text, module) {
				t.Errorf("%s names %s:\n%s", name, module, text)
			}
		}
	}
}

// TestGoMod checks that go install package@version works: it refuses a go.mod with replace or exclude.
func TestGoMod(t *testing.T) {
	t.Parallel()
	if found := regexp.MustCompile(`(?m)^(replace|exclude).*`).FindString(read(t, "../../go.mod")); found != "" {
		t.Errorf("go.mod has %q", found)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
