// Package console serves the console: a page on which people try the service out. It is
// made of the TypeScript in src, on our own SDK; "make generate" bundles it into
// gen/console, from where it is compiled in.
//
// src/main.ts is where it begins. src/store knows the service and no page, src/elements
// has the parts of the page, a custom element or an idea each, and src/style how they look.
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

// policy lets the page load what comes from this server, and nothing else: no inline script
// or style, and no markup made of text, which require-trusted-types-for makes the browser
// refuse.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// A file as it is served.
type file struct {
	name string
	body []byte
	etag string
}

// Files are those of the console by their path below its root, the page by "".
type Files map[string]file

// Load reads the files that are compiled in. It fails only if one cannot be read.
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

// Has reports whether there is a file at a path, which is relative to the page.
func (f Files) Has(path string) bool {
	_, ok := f[path]
	return ok
}

// Serve answers with the file at a path for which [Files.Has] is true. Browsers keep it and
// ask each time whether it has changed, so they never mix the files of two versions.
func (f Files) Serve(w http.ResponseWriter, r *http.Request, path string) {
	header := w.Header()
	header.Set("Content-Security-Policy", policy)
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-cache")
	header.Set("ETag", f[path].etag)
	http.ServeContent(w, r, f[path].name, time.Time{}, bytes.NewReader(f[path].body))
}
