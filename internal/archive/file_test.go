package archive

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// TestWriteFile checks that a file is created or replaced only when it is complete, and that no
// temporary file remains.
func TestWriteFile(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	path := filepath.Join(folder, "file")
	write := func(text string, err error) error {
		return WriteFile(path, func(w io.Writer) error {
			_, writeErr := io.WriteString(w, text)
			return errors.Join(writeErr, err)
		})
	}
	for _, step := range []struct {
		text, want string
		err        error
	}{{"one", "", errors.New("no")}, {"two", "two", nil}, {"three", "two", errors.New("no")}, {"four", "four", nil}} {
		if err := write(step.text, step.err); !errors.Is(err, step.err) {
			t.Errorf("%s: %v", step.text, err)
		}
		names, err := os.ReadDir(folder)
		content, _ := os.ReadFile(path) // which may not be there
		if err != nil || string(content) != step.want || len(names) != min(len(step.want), 1) {
			t.Errorf("%s: the file has %q, want %q, and the folder %v (%v)", step.text, content, step.want, names, err)
		}
	}
}
