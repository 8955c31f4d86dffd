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
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/feed"
	"github.com/message-service/message-service/internal/httpapi"
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

	DatabaseURL string
	DB          *db.DB
	Service     *messaging.Service
	Feed        *feed.Hub
	HTTP        *httptest.Server
	API         *httpapi.Server
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
	return StartWith(t, databaseURL, Options{Options: options})
}

// Options adjusts a server.
type Options struct {
	messaging.Options

	MaxConnections int // to Postgres; 8 if 0

	API  httpapi.Options
	Feed feed.Options
	Bus  func(*db.DB) feed.Bus // the one of the program if nil
}

// StartWith is [StartOn] with more options.
func StartWith(t testing.TB, databaseURL string, options Options) *Server {
	t.Helper()
	database := dbtest.OpenWith(t, databaseURL, db.Options{MaxConnections: cmp.Or(options.MaxConnections, dbtest.MaxConnections)})
	log := slog.New(slog.NewTextHandler(logWriter{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	if options.Bus == nil {
		options.Bus = func(database *db.DB) feed.Bus { return feed.NewBus(database, true, log) }
	}
	bus := options.Bus(database)
	options.Publish = bus.Publish
	service := messaging.New(database, options.Options)
	t.Cleanup(func() { Close(t, service) })
	hub := feed.Start(service, bus, log, options.Feed)
	t.Cleanup(hub.Close)
	if options.API.Connections == nil { // the listener of a test counts none
		options.API.Connections = func() (open, most int) { return 0, 0 }
	}
	api, err := httpapi.New(service, hub, log, options.API)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(api)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		if err := hub.End(ctx); err != nil {
			t.Error(err)
		}
		server.Close()
	})
	return &Server{
		Client: NewClient(t, server.URL), DatabaseURL: databaseURL,
		DB: database, Service: service, Feed: hub, HTTP: server, API: api,
	}
}

// logWriter writes the server's log into that of the test.
type logWriter struct{ t testing.TB }

func (w logWriter) Write(line []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(line)))
	return len(line), nil
}
