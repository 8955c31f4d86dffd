package words_test

import (
	"os"
	"testing"

	"github.com/message-service/message-service/internal/words/wordstest"
)

func TestExamplesOfTheGuide(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../../docs/guides/search.md")
	if err != nil {
		t.Fatal(err)
	}
	examples, err := wordstest.Examples(string(guide))
	if err != nil {
		t.Fatal(err)
	}
	languages := map[string]bool{}
	for _, e := range examples {
		languages[e.Language] = true
		if got := matches(parse(t, e.Query), e.Text); got != e.Found {
			t.Errorf("%s: %q in %q: found %v, want %v", e.Language, e.Query, e.Text, got, e.Found)
		}
	}
	if len(examples) < 500 || len(languages) < 60 {
		t.Errorf("%d examples in %d languages", len(examples), len(languages))
	}
}
