package main

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// freeAddress returns a loopback address with a free port.
func freeAddress(t *testing.T) string {
	t.Helper()
	port, err := dbtest.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port))
}

// TestDebugAddress requests profiles at their address, at that of the API, with another Host,
// and after the server has ended.
func TestDebugAddress(t *testing.T) {
	t.Parallel()
	api, debug := freeAddress(t), freeAddress(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	var stdout, stderr bytes.Buffer
	go func() {
		ended <- run(ctx, []string{
			"--listen-address", api, "--debug-address", debug, "--database-url", dbtest.NewURL(t, db.SQLite),
		}, streams{&stdout, &stderr})
	}()
	for healthy := false; !healthy; {
		code, _, _ := runHere(t, "health", "--listen-address", api)
		healthy = code == 0
		select {
		case code := <-ended:
			t.Fatalf("exit %d: %s", code, stderr.String())
		default:
		}
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for name, test := range map[string]struct {
		address, host, path string
		status              int
		says                string
		header              string
	}{
		"heap":             {debug, "", "/debug/pprof/heap", http.StatusOK, "", ""},
		"goroutines":       {debug, "", "/debug/pprof/goroutine?debug=1", http.StatusOK, "goroutine profile: total", ""},
		"processor":        {debug, "", "/debug/pprof/profile?seconds=1", http.StatusOK, "", ""},
		"index":            {debug, "localhost", "/debug/pprof/", http.StatusOK, "Types of profiles", ""},
		"another host":     {debug, "example.org", "/debug/pprof/heap", http.StatusMisdirectedRequest, "", ""},
		"nothing else":     {debug, "", "/v1/limits", http.StatusNotFound, "", ""},
		"malformed host":   {debug, "[[127.0.0.1]]", "/debug/pprof/heap", http.StatusMisdirectedRequest, "", ""},
		"another web page": {debug, "", "/debug/pprof/profile?seconds=1", http.StatusForbidden, "web page", "Sec-Fetch-Site: cross-site"},
		"through a proxy":  {debug, "", "/debug/pprof/heap", http.StatusForbidden, "proxy", "X-Forwarded-For: 203.0.113.7"},
		"not by the API":   {api, "", "/debug/pprof/heap", http.StatusNotFound, "", ""},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+test.address+test.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Host = test.host
		if name, value, ok := strings.Cut(test.header, ": "); ok {
			request.Header.Set(name, value)
		}
		response, err := client.Do(request)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		response.Body.Close() //nolint:errcheck // it was read to its end
		if response.StatusCode != test.status || len(body) == 0 || !strings.Contains(string(body), test.says) {
			t.Errorf("%s: answered %s, want %d and %q\n%.300s", name, response.Status, test.status, test.says, body)
		}
	}
	cancel()
	if code := <-ended; code != 0 {
		t.Errorf("exit %d: %s", code, stderr.String())
	}
	if conn, err := net.Dial("tcp", debug); err == nil {
		t.Error("it still listens after the end")
		conn.Close() //nolint:errcheck // nothing was sent
	}
}
