package httpapi

import (
	"net/http"
	"testing"
)

// TestAcceptsGzip parses Accept-Encoding headers.
func TestAcceptsGzip(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]bool{
		"gzip": true, "GZIP": true, "x-gzip": true, "gzip, deflate, br, zstd": true, "br;q=1.0, gzip;q=0.001": true, "*": true, "*;q=0.5": true,
		"gzip;q=1, identity;q=0.5": true, "identity;q=0, gzip": true, "gzip ; q=0.5": true, "br,gzip": true,
		"": false, "br": false, "identity": false, "gzip;q=0": false, "gzip;q=0.0, *": false, "*;q=0": false, "gzip;q=x": false,
		"gzip;q=0.5, identity": false, "gzipped": false, ";;;, ,": false,
	} {
		if got := acceptsGzip(http.Header{"Accept-Encoding": {header}}); got != want {
			t.Errorf("%q: %t, want %t", header, got, want)
		}
	}
	if !acceptsGzip(http.Header{"Accept-Encoding": {"br", "gzip"}}) || acceptsGzip(nil) {
		t.Error("several headers, or none, are parsed wrongly")
	}
}
