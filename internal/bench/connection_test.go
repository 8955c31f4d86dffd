package main

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestConnection reads answers of net/http, of known and of unknown length, one after
// the other on one connection.
func TestConnection(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, _ := strconv.Atoi(r.URL.Query().Get("status"))
		length, _ := strconv.Atoi(r.URL.Query().Get("length"))
		if status == http.StatusServiceUnavailable {
			w.Header().Set("retry-after", "1")
		}
		w.WriteHeader(status)
		for range length {
			if _, err := w.Write([]byte("x")); err != nil {
				t.Error(err)
			}
			if r.URL.Query().Has("chunked") {
				w.(http.Flusher).Flush()
			}
		}
	}))
	t.Cleanup(server.Close)
	c, err := dial(t.Context(), strings.TrimPrefix(server.URL, "http://"), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeAll([]*connection{c}) })
	for _, test := range []struct {
		query      string
		status     int
		length     int
		retryAfter bool
	}{
		{"status=201&length=230", 201, 230, false},
		{"status=200&length=100000", 200, 100_000, false},
		{"status=200&length=3&chunked", 200, 3, false},
		{"status=503&length=40", 503, 40, true},
		{"status=200&length=0", 200, 0, false},
		{"status=200&length=20&chunked", 200, 20, false},
	} {
		a, err := c.do([]byte("GET /?" + test.query + " HTTP/1.1\r\n" + host + "\r\n"))
		if err != nil {
			t.Fatalf("%s: %v", test.query, err)
		}
		if a.status != test.status || a.retryAfter != test.retryAfter || string(a.body) != strings.Repeat("x", test.length) {
			t.Errorf("%s: answered %d, %d bytes, Retry-After %t", test.query, a.status, len(a.body), a.retryAfter)
		}
	}
}

// TestLoad counts answers that are not as they should be.
func TestLoad(t *testing.T) {
	t.Parallel()
	n := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if n++; n%2 == 0 { // one connection, so one at a time
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	}))
	t.Cleanup(server.Close)
	l := load{
		address: strings.TrimPrefix(server.URL, "http://"), connections: 1, duration: 50 * time.Millisecond,
		script: pages(10, 10), status: http.StatusOK,
	}
	o, err := l.run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if sum := len(o.latencies) + o.failed; sum != n || o.failed != n/2 || o.err == nil {
		t.Errorf("of %d requests %d went well and %d failed: %v", n, len(o.latencies), o.failed, o.err)
	}
}
