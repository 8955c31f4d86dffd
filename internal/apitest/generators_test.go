//go:build tools

package apitest_test

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/message-service/message-service/internal/apitest"
)

// compilers are the commands that compile the clients which docs/api/generators.md generates, by
// folder; two of them also run theirs.
var compilers = map[string]string{
	"java": `javac -nowarn -proc:none -cp "$JARS" -d classes $(find src/main -name '*.java') ../Journey.java
		java -cp "classes:$JARS" Journey`,
	"swagger-java":           `javac -nowarn -proc:none -cp "$JARS" -d classes $(find src/main -name '*.java')`,
	"python":                 `PYTHONPATH=. python3 -W error ../journey.py`,
	"go":                     `go build ./...`,
	"ogen":                   `go build -mod=readonly ./...`,
	"rust":                   `! command -v cargo || CARGO_TARGET_DIR="$TOOLS/rust" cargo check --locked --no-default-features`,
	"typescript":             `$TSC index.ts`,
	"hey-api":                `$TSC index.ts`,
	"orval":                  `$TSC index.ts`,
	"swagger-typescript-api": `$TSC Api.ts`,
}

// remark matches a warning or an error in a generator's output.
var remark = regexp.MustCompile(`\b(WARN|[Ww]arnings?|ERROR|[Ee]rrors?|[Uu]nsupported)\b`)

// notRemark matches lines that only report progress or come from npm or go itself.
var notRemark = regexp.MustCompile(`\bINFO\b|^npm |^go: downloading `)

// workshop is a folder with the tools of .tools/generators, the programs of
// testdata/generators, and a server.
type workshop struct {
	folder      string
	environment []string
}

func newWorkshop(t *testing.T, url string) workshop {
	t.Helper()
	tools, err := filepath.Abs("../../.tools/generators")
	if err != nil {
		t.Fatal(err)
	}
	folder := copyFolder(t, "internal/apitest/testdata/generators", t.TempDir())
	for _, name := range []string{"package.json", "node_modules"} { // where npx looks first
		if err := os.Symlink(filepath.Join(tools, name), filepath.Join(folder, name)); err != nil {
			t.Fatal(err)
		}
	}
	return workshop{folder, append(os.Environ(), "BASE_URL="+url, "TOKEN="+apitest.ServiceKey, "TOOLS="+tools, "NO_COLOR=1", "npm_config_offline=true",
		"JARS="+filepath.Join(tools, "java", "*"),
		"TSC=npx tsc --strict --noEmit --target es2022 --module esnext --moduleResolution bundler --lib es2022,dom,dom.iterable",
		"PATH="+filepath.Join(tools, "bin")+":"+filepath.Join(tools, "../venv/bin")+":"+os.Getenv("PATH"))}
}

// run runs a shell command in a folder of the workshop.
func (w workshop) run(t *testing.T, folder, line string) (output string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "sh", "-ec", line)
	command.Dir, command.Env = filepath.Join(w.folder, folder), w.environment
	printed, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", line, err, printed)
	}
	return string(printed)
}

// remarks are the warnings that the guide lists.
type remarks struct {
	mutex    sync.Mutex
	said     map[string]bool // by the words of a warning: whether a generator printed it
	commands int             // how many were checked
}

// check fails the test for each warning in an output that is not in the guide.
func (r *remarks) check(t *testing.T, output string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.commands++
	for line := range strings.Lines(output) {
		isExpected := !remark.MatchString(line) || notRemark.MatchString(line)
		for words := range r.said {
			if strings.Contains(line, words) {
				isExpected, r.said[words] = true, true
			}
		}
		if !isExpected {
			t.Errorf("the guide does not list this warning: %s", line)
		}
	}
}

// TestGenerators runs each command of the guide, compiles the client that it generates, and
// compares the warnings with the table of the guide.
func TestGenerators(t *testing.T) {
	const guide = "docs/api/generators.md"
	p := startAuthenticatedBinary(t)
	w := newWorkshop(t, p.URL)
	text, err := os.ReadFile(filepath.Join("../..", guide))
	if err != nil {
		t.Fatal(err)
	}
	r := remarks{said: map[string]bool{}}
	for _, row := range regexp.MustCompile("(?m)^\\| [^|]+ \\| `([^`]+)`").FindAllStringSubmatch(string(text), -1) {
		r.said[row[1]] = false
	}
	target := regexp.MustCompile(` (?:-o|--output|--target) ([a-z-]+)`)
	var made []string
	t.Run("each", func(t *testing.T) {
		for _, b := range readBlocks(t, p, guide) {
			client := target.FindStringSubmatch(b.text)[1]
			made = append(made, client)
			t.Run(client, func(t *testing.T) {
				t.Parallel()
				r.check(t, w.run(t, ".", b.text))
				w.run(t, client, compilers[client])
			})
		}
	})
	slices.Sort(made)
	if all := slices.Sorted(maps.Keys(compilers)); !slices.Equal(made, all) {
		t.Errorf("the guide makes %v, want %v", made, all)
	}
	for words, said := range r.said {
		if !said && r.commands == len(compilers) { // not if -run selected some
			t.Errorf("the guide says that a generator says %q, and none did", words)
		}
	}
}

// TestImporters imports the contract into Postman and Insomnia.
func TestImporters(t *testing.T) {
	w := newWorkshop(t, startBinary(t).URL)
	w.run(t, ".", "node importers.mjs")
}
