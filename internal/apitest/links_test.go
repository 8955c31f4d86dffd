package apitest_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../.." // of the repository

// readFiles returns the files of this repository with the given suffix, by path.
func readFiles(t *testing.T, suffix string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if entry != nil && entry.IsDir() && slices.Contains([]string{".git", ".tools", "node_modules"}, entry.Name()) {
			return fs.SkipDir
		}
		if err != nil || !strings.HasSuffix(path, suffix) {
			return err
		}
		content, err := os.ReadFile(path)
		files[strings.TrimPrefix(filepath.ToSlash(path), root+"/")] = string(content)
		return err
	})
	if err != nil || len(files) == 0 {
		t.Fatalf("found %d files: %v", len(files), err)
	}
	return files
}

var (
	anyFence     = regexp.MustCompile("(?ms)^[> ]*```.*?^[> ]*```$")
	codeSpan     = regexp.MustCompile("`[^`\n]*`")
	markdownLink = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading      = regexp.MustCompile(`(?m)^#{1,6} +(.*)$`)
	notInAnchor  = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
)

// anchors returns the anchors of a document, as GitHub derives them from the headings.
func anchors(document string) map[string]bool {
	found := map[string]bool{}
	for _, match := range heading.FindAllStringSubmatch(anyFence.ReplaceAllString(document, ""), -1) {
		text := markdownLink.ReplaceAllString(match[1], "]")
		name := strings.ReplaceAll(notInAnchor.ReplaceAllString(strings.ToLower(text), ""), " ", "-")
		unique := name
		for i := 1; found[unique]; i++ {
			unique = fmt.Sprintf("%s-%d", name, i)
		}
		found[unique] = true
	}
	return found
}

// TestLinks checks that the relative links of all documents lead to existing files and
// headings.
func TestLinks(t *testing.T) {
	t.Parallel()
	files := readFiles(t, ".md")
	checked := 0
	for path, document := range files {
		text := codeSpan.ReplaceAllString(anyFence.ReplaceAllString(document, ""), "")
		for _, match := range markdownLink.FindAllStringSubmatch(text, -1) {
			if strings.Contains(match[1], "://") {
				continue
			}
			checked++
			file, anchor, hasAnchor := strings.Cut(match[1], "#")
			target := path
			if file != "" {
				target = filepath.ToSlash(filepath.Join(filepath.Dir(path), file))
			}
			if _, err := os.Stat(filepath.Join(root, target)); err != nil {
				t.Errorf("%s links to %s, which is not there", path, match[1])
			} else if hasAnchor && !anchors(files[target])[anchor] {
				t.Errorf("%s links to %s, and %s has no such heading", path, match[1], target)
			}
		}
	}
	if checked == 0 {
		t.Error("found no links")
	}
}

// TestREADMEIsShort bounds the number of words of the README.
func TestREADMEIsShort(t *testing.T) {
	t.Parallel()
	if words := len(strings.Fields(readFiles(t, ".md")["README.md"])); words > 1200 {
		t.Errorf("the README has %d words; move what is not for a newcomer to docs/", words)
	}
}

// runBy maps documents to the tests that run their samples.
var runBy = map[string]string{
	"README.md":                    "TestREADME",
	"docs/api/generators.md":       "TestGenerators",
	"docs/api/tour.md":             "TestTour",
	"docs/guides/deploy.md":        "TestDeployGuide",
	"docs/guides/groups.md":        "TestGroupsGuide",
	"docs/guides/inbox.md":         "TestInboxGuide",
	"docs/guides/proxies.md":       "TestProxies",
	"docs/guides/switching.md":     "TestSwitchingGuide",
	"docs/guides/tokens.md":        "TestTokensGuide",
	"docs/operations.md":           "TestOperations",
	"docs/security.md":             "TestSecurity",
	"api/messageservice/README.md": "TestSDKDocuments",
	"api/sdk/typescript/README.md": "TestSDKDocuments", // gen/typescript has a copy
	"api/sdk/python/README.md":     "TestSDKDocuments",
	"gen/typescript/README.md":     "TestSDKDocuments",
	"gen/python/README.md":         "TestSDKDocuments",
}

// TestSamplesAreRun checks that every document with samples has a test that runs them,
// and that the tests which documents name exist.
func TestSamplesAreRun(t *testing.T) {
	t.Parallel()
	exists := map[string]bool{}
	for _, code := range readFiles(t, "_test.go") {
		for _, match := range regexp.MustCompile(`(?m)^func (Test\w+)\(`).FindAllStringSubmatch(code, -1) {
			exists[match[1]] = true
		}
	}
	for path, document := range readFiles(t, ".md") {
		for _, match := range regexp.MustCompile("(?ms)^```(\\w*)\n.*?^```$").FindAllStringSubmatch(document, -1) {
			if !slices.Contains([]string{"text", "mermaid"}, match[1]) && !exists[runBy[path]] { // diagrams are not run
				t.Errorf("no test runs the samples of %s", path)
				break
			}
		}
		for _, match := range regexp.MustCompile("`(Test[A-Z]\\w+)`").FindAllStringSubmatch(document, -1) {
			if !exists[match[1]] {
				t.Errorf("%s names %s, which does not exist", path, match[1])
			}
		}
	}
}
