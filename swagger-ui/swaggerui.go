// Package swaggerui serves the interactive documentation: our own page over the
// Swagger UI assets of a Go module, so that no network is needed and a strict
// Content-Security-Policy holds.
package swaggerui

import (
	"embed"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"github.com/swaggest/swgui/v5/static"
	"github.com/vearutop/statigz"
)

//go:embed index.html *.js *.css page snippets
var page embed.FS

// policy lets the page load what comes from this server and run no inline script.
// Swagger UI sets style attributes and draws its icons from data URLs.
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; " +
	"img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Has tells whether there is anything at a path, which is relative to the page.
func Has(path string) bool {
	if path == "" {
		return true
	}
	for _, files := range []fs.FS{page, static.FS} {
		for _, name := range []string{path, path + ".gz"} {
			if _, err := fs.Stat(files, name); err == nil {
				return true
			}
		}
	}
	return false
}

// Handler serves the page and its assets below the root of its URL space. The
// page expects the contract at /openapi.yaml.
func Handler() http.Handler {
	own := http.FileServerFS(page)
	assets := statigz.FileServer(static.FS)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("Referrer-Policy", "no-referrer")
		if _, err := fs.Stat(page, strings.Trim(path.Clean(r.URL.Path), "/")); err == nil || r.URL.Path == "/" {
			header.Set("Cache-Control", "no-cache")
			own.ServeHTTP(w, r)
			return
		}
		assets.ServeHTTP(w, r)
	})
}
