package apitest_test

import (
	"path/filepath"
	"regexp"
	"testing"
)

const tokensGuide = "docs/guides/tokens.md"

// TestDetailsInTokensGuide checks that the guide explains every detail with which a token is refused, and no other.
func TestDetailsInTokensGuide(t *testing.T) {
	t.Parallel()
	explained := map[string]bool{}
	for _, match := range regexp.MustCompile(`(?m)^\| (The .*?\.|The .*?) \| `).FindAllStringSubmatch(readFiles(t, ".md")[tokensGuide], -1) {
		explained[match[1]] = true
	}
	for path, source := range readFiles(t, ".go") {
		if filepath.Dir(path) != "internal/identity" {
			continue
		}
		for _, match := range regexp.MustCompile(`invalidToken\("(.*?)"\)`).FindAllStringSubmatch(source, -1) {
			if !explained[match[1]] {
				t.Errorf("the guide does not explain %q", match[1])
			}
			delete(explained, match[1])
		}
	}
	for detail := range explained {
		t.Errorf("the guide explains %q, which no token gets", detail)
	}
}
