package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
)

// self is this program; with --floor it is a reference server.
const self = "/proc/self/exe"

// floorMessage is as long as a message in a response.
var floorMessage = `{"id":"01a20a5e-f928-7000-9ed1-c17599fd1f26","sender":"user-100","recipient":"user-200","text":"` +
	strings.Repeat("w12345 ", textWords) + `","sentAt":"2026-11-23T21:45:26.056Z"}`

// startFloor starts the reference server, which serves until the section ends.
func (s *suite) startFloor(ctx context.Context) (*process, error) {
	return s.startProcess(ctx, self, "--floor")
}

// serveFloor serves constant responses as long as those of the service until ctx ends. Its figures are
// the cost of HTTP, the machine and the load generator alone.
func serveFloor(ctx context.Context) error {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		status, body := http.StatusCreated, floorMessage
		if limit, _ := strconv.Atoi(r.URL.Query().Get("limit")); r.Method == http.MethodGet {
			status, body = http.StatusOK, `{"messages":[`+strings.Repeat(floorMessage+",", max(limit, 1)-1)+floorMessage+`],"hasMore":true}`
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body)) // fails only if the client is gone
	}))
	defer server.Close()
	_, _ = fmt.Fprintln(os.Stdout, server.URL+"/") // it fails only if the parent has ended
	<-ctx.Done()
	return nil
}
