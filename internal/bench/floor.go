package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// floorCommand serves answers that are as long as those of the service, and does
// nothing for them. What is measured of it is what HTTP, the machine and the load
// generator cost by themselves.
type floorCommand struct{}

// floorMessage is as long as a message in an answer.
var floorMessage = `{"id":"01a20a5e-f928-7000-9ed1-c17599fd1f26","sender":"user-100","recipient":"user-200","text":"` +
	strings.Repeat("w12345 ", textWords) + `","sentAt":"2026-11-23T21:45:26.056Z"}`

// Run serves until ctx ends.
func (floorCommand) Run(ctx context.Context) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	handler := http.NewServeMux()
	handler.HandleFunc("POST /v1/messages", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write([]byte(floorMessage)) // fails only if the client is gone
	})
	handler.HandleFunc("GET /v1/messages", func(w http.ResponseWriter, r *http.Request) {
		limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
		body := `{"messages":[` + strings.Repeat(floorMessage+",", max(limit, 1)-1) + floorMessage + `],"hasMore":true}`
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write([]byte(body)) // fails only if the client is gone
	})
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if _, err := fmt.Fprintf(os.Stdout, "http://%s/\n", listener.Addr()); err != nil {
		return err
	}
	_ = server.Serve(listener) // until it is closed
	return nil
}

// startFloor starts it in a process of its own until the section ends.
func (s *suite) startFloor(ctx context.Context) (*process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p, err := startProcess(ctx, s.newPath("floor.log"), self, "floor")
	if err != nil {
		return nil, err
	}
	s.atEnd(p.stop)
	return p, nil
}
