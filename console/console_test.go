package console_test

import (
	"bytes"
	"compress/gzip"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/message-service/message-service/console"
	assets "github.com/message-service/message-service/gen/console"
)

// maxBytes is the most that all files of the console may have, gzipped as by a proxy: a budget
// for fast loading.
const maxBytes = 60_000

// TestSize checks that the files stay within that budget.
func TestSize(t *testing.T) {
	t.Parallel()
	total := 0
	err := fs.WalkDir(assets.Files, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		body, err := assets.Files.ReadFile(path)
		if err != nil {
			return err
		}
		var compressed bytes.Buffer
		w := gzip.NewWriter(&compressed)
		if _, err := w.Write(body); err != nil {
			return err
		}
		if err := w.Close(); err != nil {
			return err
		}
		total += compressed.Len()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if total > maxBytes {
		t.Errorf("the console is %d bytes compressed, want at most %d", total, maxBytes)
	}
	t.Logf("%d bytes compressed", total)
}

// TestRevalidation checks that a request with the ETag of the current file is answered 304.
func TestRevalidation(t *testing.T) {
	t.Parallel()
	files, err := console.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"", "console.js", "console.css", "icon.svg"} {
		if !files.Has(path) {
			t.Fatalf("there is no %q", path)
		}
		etag := ""
		for _, want := range []int{http.StatusOK, http.StatusNotModified} {
			request := httptest.NewRequest(http.MethodGet, "/", nil)
			request.Header.Set("If-None-Match", etag)
			recorder := httptest.NewRecorder()
			files.Serve(recorder, request, path)
			etag = recorder.Header().Get("ETag")
			if recorder.Code != want || etag == "" || recorder.Header().Get("Cache-Control") != "no-cache" {
				t.Errorf("%q answered %d with %v, want %d", path, recorder.Code, recorder.Header(), want)
			}
		}
	}
	if files.Has("index.html") || files.Has("assets.go") || files.Has("nothing") {
		t.Error("there are files that the page does not refer to")
	}
}
