// Package apitest tests the service the way its users see it: through the
// generated Go client, over HTTP, on both engines, with every answer checked
// against the contract.
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
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/app"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/messaging"
)

// Close closes a service, which must store what it has accepted.
func Close(t testing.TB, service *messaging.Service) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	if err := service.Close(ctx); err != nil {
		t.Errorf("close: %v", err)
	}
}

// Until waits for a condition that nothing reports, and asks for it a thousand times a second.
func Until(t testing.TB, holds func() bool) {
	t.Helper()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(time.Minute); !holds(); <-ticker.C {
		if t.Failed() || time.Now().After(deadline) {
			t.Fatal("it has not come to what the test waits for")
		}
	}
}

// Stall keeps the server from committing anything for alice and others until release is
// called: it holds the locks of their mailboxes, in SQLite that of the whole file.
func (s *Server) Stall(t testing.TB, others ...string) (release func()) {
	t.Helper()
	users := append([]string{"alice"}, others...)
	for _, user := range users {
		s.Send(t, user, user, "so that the mailbox exists")
	}
	update, args, err := sqlx.In("UPDATE mailboxes SET clock = clock WHERE user_id IN (?)", users)
	if err != nil {
		t.Fatal(err)
	}
	locked, unlock, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	other := dbtest.Open(t, s.DatabaseURL)
	go func() {
		done <- other.Tx(context.WithoutCancel(t.Context()), time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
			if _, err := tx.ExecContext(ctx, tx.Rebind(update), args...); err != nil {
				return err
			}
			close(locked)
			<-unlock
			return nil
		})
	}()
	select {
	case <-locked:
	case err := <-done:
		t.Fatalf("stall: %v", err)
	}
	return func() {
		close(unlock)
		if err := <-done; err != nil {
			t.Errorf("stall: %v", err)
		}
	}
}

// Server is a running server.
type Server struct {
	*Client
	*app.App

	DatabaseURL string
}

// Start runs a server on an empty database until the test ends.
func Start(t testing.TB, engine db.Engine, options messaging.Options) *Server {
	t.Helper()
	return StartOn(t, dbtest.NewURL(t, engine), options)
}

// StartReplicas runs servers on one empty database, one for each given difference of its
// clock from the true time. See [Client.Insist].
func StartReplicas(t testing.TB, engine db.Engine, skews ...time.Duration) []*Server {
	t.Helper()
	url := dbtest.NewURL(t, engine)
	replicas := make([]*Server, len(skews))
	for i, skew := range skews {
		replicas[i] = StartOn(t, url, messaging.Options{Now: func() time.Time { return time.Now().Add(skew) }})
		if engine == db.SQLite {
			replicas[i].Insist()
		}
	}
	return replicas
}

// StartOn runs a server on the given database until the test ends; several on the
// same one are replicas.
func StartOn(t testing.TB, databaseURL string, options messaging.Options) *Server {
	t.Helper()
	return StartWith(t, databaseURL, app.Options{Messaging: options})
}

// StartWith is [StartOn] with options of everything.
func StartWith(t testing.TB, databaseURL string, options app.Options) *Server {
	t.Helper()
	options.ListenAddress = "127.0.0.1:0"
	options.DatabaseURL = databaseURL
	options.Database.MaxConnections = cmp.Or(options.Database.MaxConnections, dbtest.MaxConnections)
	options.ShutdownTimeout = time.Minute
	options.Log = slog.New(slog.NewTextHandler(logWriter{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	server, err := app.New(t.Context(), options)
	if err != nil {
		t.Fatalf("start on %s: %v", databaseURL, err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ran := make(chan error, 1)
	go func() { ran <- server.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := errors.Join(<-ran, server.Close()); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return &Server{Client: NewClient(t, "http://"+server.Address().String()), App: server, DatabaseURL: databaseURL}
}

// logWriter writes the server's log into that of the test.
type logWriter struct{ t testing.TB }

func (w logWriter) Write(line []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(line)))
	if strings.Contains(string(line), "not closed well") { // which the end of a server does not return
		w.t.Fail()
	}
	return len(line), nil
}
