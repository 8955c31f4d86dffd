// Package swaggerui serves the interactive documentation: our own page over the
// Swagger UI assets of a Go module, so that no network is needed and a strict
// Content-Security-Policy holds. What is seen of an operation is made by the plugins in
// page; contract.js and snippets.js read the contract and write samples, for others too.
package swaggerui

import (
	"embed"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/swaggest/swgui/v5/static"
	"github.com/vearutop/statigz"
)

//go:embed index.html *.js *.css page snippets
var page embed.FS

//go:embed index.html
var index string

// policy lets the page load what comes from this server and run no inline script.
// Swagger UI sets style attributes and draws its icons from data URLs.
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; " +
	"img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Has reports whether there is a file at a path, which is relative to the page.
func Has(name string) bool {
	return name == "" || isFile(page, name) || isFile(static.FS, name) || isFile(static.FS, name+".gz")
}

func isFile(files fs.FS, name string) bool {
	info, err := fs.Stat(files, name)
	return err == nil && !info.IsDir()
}

// Handler serves the page and its assets below the root of its URL space, where [Has] says
// that there is something. The page expects the contract at /openapi.yaml, and leads to the
// console at /console/ if there is one.
func Handler(hasConsole bool) http.Handler {
	index := index
	if hasConsole {
		index = strings.Replace(index, "<html ", `<html data-console="/console/" `, 1)
	}
	own := http.FileServerFS(page)
	assets := statigz.FileServer(static.FS)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header := w.Header()
		header.Set("Content-Security-Policy", policy)
		header.Set("Referrer-Policy", "no-referrer")
		if name := strings.TrimPrefix(r.URL.Path, "/"); name == "" || isFile(page, name) {
			header.Set("Cache-Control", "no-cache")
			if name == "" {
				http.ServeContent(w, r, "index.html", time.Time{}, strings.NewReader(index))
				return
			}
			own.ServeHTTP(w, r)
			return
		}
		assets.ServeHTTP(w, r)
	})
}
