package words_test

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"testing"

	"github.com/message-service/message-service/internal/words"
)

// TestVersion notices when the words of a text change, by a new rule or by new tables of Unicode.
func TestVersion(t *testing.T) {
	t.Parallel()
	const version, digest = 1, "bc756d8568e8b969"
	hash := sha256.New()
	for r := range codePoints {
		text := strings.ReplaceAll("r ar1rक иr", "r", string(r))
		all := words.Of(text)
		slices.Sort(all)
		hash.Write([]byte(strings.Join(all, " ") + "\n"))
	}
	if got := hex.EncodeToString(hash.Sum(nil)[:8]); got != digest || words.Version != version {
		t.Errorf("the words of texts are not those of version %d any more: raise words.Version, and write here that the digest is %q", version, got)
	}
}
