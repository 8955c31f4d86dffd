package main

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"time"

	"github.com/message-service/message-service/internal/feed"
	"github.com/message-service/message-service/internal/httpapi"
	"github.com/message-service/message-service/internal/messaging"
)

// defaultMaxStreams is what MAX_STREAMS says below.
const defaultMaxStreams = 20_000

type serveCommand struct {
	ListenAddress        string   `group:"Address" env:"LISTEN_ADDRESS" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"Where to listen. Port 0 takes a free one."`
	AllowUnauthenticated bool     `group:"Address" env:"ALLOW_UNAUTHENTICATED" help:"Listen beyond this machine, answer to any host name, and serve what comes through a proxy, although nobody is asked who they are. Everyone who reaches the address can read and write all messages."`
	PublicURL            string   `group:"Address" env:"PUBLIC_URL" placeholder:"URL" help:"The origin by which clients reach the server, such as https://chat.example.org, where a proxy or a mapped port gives it another than it sees. The contract that it serves names it, and web pages of it are its own."`
	CORSOrigins          []string `name:"cors-origins" group:"Address" env:"CORS_ORIGINS" placeholder:"URL,..." help:"Other origins whose web pages may use the API, such as https://app.example.org,http://localhost:5173. They can do all that anybody can who reaches the server."`
	Compress             bool     `group:"Address" env:"COMPRESS" help:"Compress answers from 8 kB, and exports, by gzip for clients that ask for it; not streams. A page of 100 short messages takes less than half of the bytes then, and a quarter of a millisecond more of a processor."`
	Console              *bool    `group:"Address" env:"CONSOLE" negatable:"" help:"Serve the console at /console/. If nothing is said it is served only to this machine: where the address to listen on is one of it, without --allow-unauthenticated."`

	tlsFlags `group:"TLS and HTTP/2"`

	schemaFlags     `group:"Database"`
	connectionFlags `group:"Database"`
	Notify          bool `group:"Database" env:"NOTIFY" default:"true" negatable:"" help:"Tell other servers on the same Postgres of changes, and hear of theirs, by NOTIFY. Without it they find out within 2 seconds, as they do behind a pooler that shares connections between transactions."`

	QueueSize  int `group:"Limits" env:"QUEUE_SIZE" default:"4096" placeholder:"N" help:"Sends, and as many other changes, that may wait to be stored, from 1 to 1000000; a sixteenth of those for one mailbox. More are answered 503."`
	MaxStreams int `group:"Limits" env:"MAX_STREAMS" default:"20000" placeholder:"N" help:"Streams of changes, and requests that wait for one, at a time, from 1 to 1000000. More are answered 429, as is the 11th of a user."`

	ShutdownDelay   time.Duration `group:"Shutdown" env:"SHUTDOWN_DELAY" default:"0s" placeholder:"DURATION" help:"How long a shutdown goes on serving while /ready answers 503, so that load balancers notice."`
	ShutdownTimeout time.Duration `group:"Shutdown" env:"SHUTDOWN_TIMEOUT" default:"25s" placeholder:"DURATION" help:"How long a shutdown waits after that for requests to end."`

	logFlags   `group:"Log and profiles"`
	debugFlags `group:"Log and profiles"`
}

// Validate is called by the command line parser.
func (c serveCommand) Validate() error {
	if err := cmp.Or(c.schemaFlags.Validate(), c.connectionFlags.Validate(), c.debugFlags.Validate(), c.tlsFlags.Validate()); err != nil {
		return err
	}
	if _, _, err := net.SplitHostPort(c.ListenAddress); err != nil {
		return errors.New("--listen-address (LISTEN_ADDRESS) must be HOST:PORT, such as 127.0.0.1:8080")
	}
	if !isLocal(c.ListenAddress) && !c.AllowUnauthenticated {
		return errors.New("there is no authentication yet: to listen on " + c.ListenAddress +
			", where other machines may reach it, pass --allow-unauthenticated (ALLOW_UNAUTHENTICATED=true)")
	}
	if err := httpapi.CheckOrigin(c.PublicURL); c.PublicURL != "" && err != nil {
		return fmt.Errorf("--public-url (PUBLIC_URL) %w", err)
	}
	for _, origin := range c.CORSOrigins {
		if err := httpapi.CheckOrigin(origin); err != nil {
			return fmt.Errorf("--cors-origins (CORS_ORIGINS): %q %w", origin, err)
		}
	}
	if c.QueueSize < 1 || c.QueueSize > 1_000_000 {
		return errors.New("--queue-size (QUEUE_SIZE) must be from 1 to 1000000")
	}
	if c.MaxStreams < 1 || c.MaxStreams > 1_000_000 {
		return errors.New("--max-streams (MAX_STREAMS) must be from 1 to 1000000")
	}
	if c.ShutdownDelay < 0 || c.ShutdownTimeout < 0 {
		return errors.New("--shutdown-delay and --shutdown-timeout (SHUTDOWN_DELAY, SHUTDOWN_TIMEOUT) must not be negative")
	}
	return nil
}

// hasConsole reports whether the console is served. With it anybody can read and write for all
// users without a tool, so beyond this machine it is served only if an operator asks for it.
func (c serveCommand) hasConsole() bool {
	if c.Console != nil {
		return *c.Console
	}
	return isLocal(c.ListenAddress) && !c.AllowUnauthenticated
}

// Run serves until ctx ends. It wires the parts together, top to bottom, and
// takes them apart in the opposite order.
func (c serveCommand) Run(ctx context.Context, std streams) error {
	log := c.logger(std.err)
	encryption, err := c.loadCertificate(log)
	if err != nil {
		return err
	}
	if err := c.canListen(ctx); err != nil {
		return err
	}
	database, applied, err := c.openMigrated(ctx, c.options(log), log)
	if err != nil && ctx.Err() != nil {
		log.Info("stopped before the database answered")
		return nil
	}
	if err != nil {
		return err
	}
	defer closeDatabase(database, log)
	if len(applied) > 0 {
		log.Info("schema migrated", "steps", strings.Join(applied, " "))
	}
	listener, err := listen(ctx, c.ListenAddress, listenOption)
	if err != nil {
		return err
	}
	defer listener.Close() //nolint:errcheck // the server has closed it by then
	bounded := boundConnections(listener, openFilesLimit(), uint64(c.DatabaseMaxConnections), c.MaxStreams, log)
	stopDebug, err := c.serveDebug(ctx, log)
	if err != nil {
		return err
	}
	defer stopDebug()
	bus := feed.NewBus(database, c.Notify, log)
	service := messaging.New(database, messaging.Options{QueueSize: c.QueueSize, SearchOff: !c.Search, Publish: bus.Publish})
	hub := feed.Start(service, bus, log, feed.Options{MaxStreams: c.MaxStreams})
	defer hub.Close()
	reserve := make([]byte, heapReserve)
	defer runtime.KeepAlive(reserve)
	api, err := httpapi.New(service, hub, log, c.apiOptions(bounded.connections))
	if err != nil {
		return err
	}
	c.greet(std.out, log, database.Engine, listener.Addr())
	if err := c.serve(ctx, bounded, encryption, api, hub, service, log); err != nil {
		return err
	}
	log.Info("stopped")
	return nil
}

func (c serveCommand) apiOptions(connections func() (open, most int)) httpapi.Options {
	return httpapi.Options{
		AllowUnauthenticated: c.AllowUnauthenticated, PublicURL: c.PublicURL, CORSOrigins: c.CORSOrigins, Compress: c.Compress,
		Console: c.hasConsole(), Version: buildVersion(), Connections: connections,
	}
}

// canListen returns why the server cannot listen, so that one that cannot leaves the database alone.
// It does not listen yet: until there is somebody to answer, a proxy is refused and goes elsewhere,
// where it would wait otherwise, and a send could be stored long after its client has given up.
func (c serveCommand) canListen(ctx context.Context) error {
	for _, given := range []struct{ address, option string }{{c.ListenAddress, listenOption}, {c.DebugAddress, debugOption}} {
		if given.address == "" {
			continue
		}
		listener, err := listen(ctx, given.address, given.option)
		if err == nil {
			err = listener.Close()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// heapReserve is a part of the heap that is never touched, and so takes no memory. The
// garbage is collected when the heap has doubled: one of a few megabytes does so dozens of
// times a second under load, and collecting took a fifth of all computing.
const heapReserve = 24 << 20

// storeTimeout bounds the wait for what is waiting to be stored when the server stops.
const storeTimeout = 10 * time.Second

// serve answers requests until ctx ends, then those that have arrived, and stores
// what waits.
func (c serveCommand) serve(
	ctx context.Context, listener net.Listener, encryption *certificate, api *httpapi.Server, hub *feed.Hub,
	service *messaging.Service, log *slog.Logger,
) error {
	server := c.newServer(api, log)
	server.RegisterOnShutdown(hub.Drain)
	failed := make(chan error, 1)
	go func() {
		if encryption == nil {
			failed <- server.Serve(listener)
			return
		}
		watching, stop := context.WithCancel(ctx)
		defer stop()
		go encryption.watch(watching)
		server.TLSConfig = &tls.Config{GetCertificate: encryption.get}
		failed <- server.ServeTLS(listener, "", "")
	}()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	log.Info("shutting down", "streams", hub.Streams())
	api.Drain()
	if c.ShutdownDelay > 0 {
		select {
		case err := <-failed:
			return err
		case <-time.After(c.ShutdownDelay):
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.ShutdownTimeout)
	defer cancel()
	err := errors.Join(server.Shutdown(ctx), hub.End(ctx))
	if err != nil {
		err = fmt.Errorf("requests that took longer than %s were cut off: %w", c.ShutdownTimeout, errors.Join(err, server.Close()))
	}
	// What was accepted gets its own time: it needs no client.
	closing, stop := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer stop()
	return errors.Join(err, service.Close(closing))
}
