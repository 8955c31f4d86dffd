// Package swaggerui serves the interactive documentation: our own page on top of the Swagger UI
// assets of a Go module, so that no CDN is needed and the Content-Security-Policy can be strict.
// The plugins in page render the operations; contract.js reads the contract and snippets.js
// writes samples, for the console too.
package swaggerui

import (
	"embed"
	"io/fs"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/swaggest/swgui/v5/static"
	"github.com/vearutop/statigz"
)

//go:embed index.html *.js *.css page snippets
var page embed.FS

//go:embed index.html
var index string

// policy lets the page load files of this server only, and run no inline script. Swagger UI needs
// style attributes, and data URLs for its icons.
const policy = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; " +
	"img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Has reports whether there is a file of that name, a path relative to the page.
func Has(name string) bool {
	return name == "" || isFile(page, name) || isFile(static.FS, name) || isFile(static.FS, name+".gz")
}

func isFile(files fs.FS, name string) bool {
	info, err := fs.Stat(files, name)
	return err == nil && !info.IsDir()
}

// Handler serves the page and its assets at the paths for which [Has] is true, relative to its
// root. The page loads the contract from /openapi.yaml, and links to the console at /console/ if
// there is one. Its samples have a credential if requests need one.
func Handler(hasConsole, authenticates bool) http.Handler {
	index := index
	if hasConsole {
		index = strings.Replace(index, "<html ", `<html data-console="/console/" `, 1)
	}
	if authenticates {
		index = strings.Replace(index, "<html ", `<html data-auth="required" `, 1)
	}
	own := http.FileServerFS(page)
	assets := sync.OnceValue(func() http.Handler { return statigz.FileServer(static.FS) }) // it reads all files, which nobody may want
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
		assets().ServeHTTP(w, r)
	})
}
