package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// TestOpenFiles opens more streams than the limit of open files allows: all must be served, some
// only after others have closed, and the database must always get file descriptors.
func TestOpenFiles(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		const limit, streams, atOnce = 96, 150, 40
		script := filepath.Join(t.TempDir(), "limited")
		text := fmt.Sprintf("#!/bin/sh\nulimit -n %d && exec %s \"$@\"\n", limit, os.Args[0])
		if err := os.WriteFile(script, []byte(text), 0o700); err != nil {
			t.Fatal(err)
		}
		p := apitest.StartProcess(t, script, dbtest.NewURL(t, engine), "RUN_MESSAGE_SERVICE=1", "MAX_STREAMS=1000")
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		var open sync.WaitGroup
		ready, release := make(chan struct{}, streams), make(chan struct{})
		for i := range streams {
			open.Go(func() {
				stream, err := p.Follow(ctx, t, fmt.Sprint("user-", i), nil)
				ready <- struct{}{}
				if err != nil {
					t.Error(err)
					return
				}
				<-release
				stream.Close()
			})
		}
		for range atOnce {
			<-ready
		}
		// The streams use up all connections: another request waits until some close.
		asked := make(chan *client.GetStatusResponse)
		go func() { asked <- apitest.Call(p.GetStatusWithResponse(ctx)).Must(t, http.StatusOK) }()
		close(release)
		status := (<-asked).JSON200
		if status.MaxConnections != limit/2 || status.Connections < 1 || status.Connections > limit/2 || status.MaxStreams != 1000 || status.Version == "" {
			t.Errorf("the status is %+v", status)
		}
		open.Wait()
		p.Send(t, "alice", "bob", "and all is well")
		if err := p.Stop(t); err != nil {
			t.Error(err)
		}
		log := p.Log.String()
		if strings.Count(log, "clients wait") != 1 || strings.Count(log, "max_streams=1000") != 1 || strings.Count(log, "\n") != 2 {
			t.Errorf("it logged\n%s", log)
		}
	})
}
