// Package console serves the console, a web page for trying the service out. It is written
// in TypeScript (src) on our own SDK. "make generate" bundles it into gen/console, which is
// embedded in the binary.
//
// src/main.ts is the entry point. src/store holds the state and calls the service, without
// the DOM; src/elements holds the custom elements and other parts of the page, and src/style
// their CSS.
package console

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"time"

	assets "github.com/message-service/message-service/gen/console"
)

// policy lets the page load files of this server and nothing else: no inline script or style.
// require-trusted-types-for makes the browser refuse to parse a string as markup.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// A file as it is served.
type file struct {
	name string
	body []byte
	etag string
}

// Files holds the files of the console by their path below its root; "" is the page.
type Files map[string]file

// Load reads the embedded files. It fails only if one cannot be read.
func Load() (Files, error) {
	files := Files{}
	entries, err := fs.ReadDir(assets.Files, ".")
	if err != nil {
		return nil, fmt.Errorf("console: %w", err)
	}
	for _, entry := range entries {
		body, err := assets.Files.ReadFile(entry.Name())
		if err != nil {
			return nil, fmt.Errorf("console: %w", err)
		}
		sum := sha256.Sum256(body)
		files[entry.Name()] = file{name: entry.Name(), body: body, etag: `"` + hex.EncodeToString(sum[:16]) + `"`}
	}
	files[""] = files["index.html"]
	delete(files, "index.html")
	return files, nil
}

// Has reports whether there is a file at path, which is relative to the page.
func (f Files) Has(path string) bool {
	_, ok := f[path]
	return ok
}

// Serve answers with the file at path, for which [Files.Has] must be true. Browsers cache it but
// revalidate it by its ETag each time, so they never mix the files of two versions.
func (f Files) Serve(w http.ResponseWriter, r *http.Request, path string) {
	header := w.Header()
	header.Set("Content-Security-Policy", policy)
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-cache")
	header.Set("ETag", f[path].etag)
	http.ServeContent(w, r, f[path].name, time.Time{}, bytes.NewReader(f[path].body))
}
