package main

import (
	"os"
	"strings"
	"testing"
)

// TestConfiguration compares docs/configuration.md with the definitions.
func TestConfiguration(t *testing.T) {
	t.Parallel()
	content, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(content) != configuration(testParser(t).Model) {
		t.Error("docs/configuration.md is not what make generate makes")
	}
	for _, variable := range variables(testParser(t).Model.Node) {
		if !strings.Contains(string(content), "| `"+variable+"` | ") {
			t.Errorf("%s is missing", variable)
		}
	}
}
