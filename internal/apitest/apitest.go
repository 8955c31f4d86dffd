// Package apitest tests the service as clients see it: through the generated Go
// client, over HTTP, on both engines, with every response validated against the
// contract.
//
// A test starts with [dbtest.Engines], which runs it once for each engine, in parallel,
// and [Start], which gives it a server on a database of its own.
package apitest

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/message-service/message-service/internal/app"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/messaging"
)

// Server is a running server.
type Server struct {
	*Client
	*app.App

	DatabaseURL string

	stop  func()
	users sync.Map // the clients of As, by user
}

// Start runs a server on an empty database until the test ends.
func Start(t testing.TB, engine db.Engine, options messaging.Options) *Server {
	t.Helper()
	return StartOn(t, dbtest.NewURL(t, engine), options)
}

// StartOn runs a server on the given database until the test ends. Several servers on
// the same database are replicas.
func StartOn(t testing.TB, databaseURL string, options messaging.Options) *Server {
	t.Helper()
	return StartWith(t, databaseURL, app.Options{Messaging: options})
}

// StartWith is [StartOn] with all options of the server. If it is to authenticate, it gets the credentials
// of [ServiceKey], with which Client makes its requests, and of [Token], unless the options have others.
func StartWith(t testing.TB, databaseURL string, options app.Options) *Server {
	t.Helper()
	options.ListenAddress = "127.0.0.1:0"
	options.DatabaseURL = databaseURL
	options.Database.MaxConnections = cmp.Or(options.Database.MaxConnections, dbtest.MaxConnections)
	options.ShutdownTimeout = time.Minute
	if options.Log == nil {
		options.Log = slog.New(slog.NewTextHandler(logWriter{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	}
	if options.API.Authenticate {
		giveCredentials(t, &options)
	}
	server, err := app.New(t.Context(), options)
	if err != nil {
		t.Fatalf("start on %s: %v", databaseURL, err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- server.Run(ctx) }()
	s := &Server{Client: NewClient(t, "http://"+server.Address().String()), App: server, DatabaseURL: databaseURL}
	s.stop = sync.OnceFunc(func() {
		stop()
		if err := errors.Join(<-ran, server.Close()); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	t.Cleanup(s.stop)
	if options.API.Authenticate {
		s.Client = s.With(ServiceKey)
	}
	return s
}

// Stop stops the server before the test ends, as a deployment does: requests are answered first.
func (s *Server) Stop() { s.stop() }

// logWriter writes the server's log to the log of the test.
type logWriter struct{ t testing.TB }

func (w logWriter) Write(line []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(line)))
	if strings.Contains(string(line), "not closed well") { // Close logs this error and does not return it
		w.t.Fail()
	}
	return len(line), nil
}
