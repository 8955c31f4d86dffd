package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"time"

	"github.com/message-service/message-service/internal/app"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/feed"
	"github.com/message-service/message-service/internal/httpapi"
	"github.com/message-service/message-service/internal/messaging"
)

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

// Run serves until ctx ends.
func (c serveCommand) Run(ctx context.Context, std streams) error {
	log := c.logger(std.err)
	options, err := c.options(log)
	if err != nil {
		return err
	}
	reserve := make([]byte, heapReserve)
	defer runtime.KeepAlive(reserve)
	server, err := app.New(ctx, options)
	if errors.Is(err, context.Canceled) {
		log.Info("stopped before the database answered")
		return nil
	}
	if err != nil {
		return err
	}
	c.greet(std.out, log, server.DB.Engine, server.Address())
	if err := errors.Join(server.Run(ctx), server.Close()); err != nil {
		return err
	}
	log.Info("stopped")
	return nil
}

// options are what the flags mean.
func (c serveCommand) options(log *slog.Logger) (app.Options, error) {
	url, err := c.url()
	return app.Options{
		ListenAddress:   c.ListenAddress,
		ProfilesAddress: c.DebugAddress,
		CertificateFile: c.TLSCertFile,
		KeyFile:         c.TLSKeyFile,
		H2C:             c.H2C,
		DatabaseURL:     url,
		DatabaseWait:    c.DatabaseWait,
		Database:        db.Options{MaxConnections: c.DatabaseMaxConnections, Unprepared: !c.DatabasePrepare},
		NotifyOff:       !c.Notify,
		Messaging:       messaging.Options{QueueSize: c.QueueSize, SearchOff: !c.Search},
		Feed:            feed.Options{MaxStreams: c.MaxStreams},
		API: httpapi.Options{
			AllowUnauthenticated: c.AllowUnauthenticated, PublicURL: c.PublicURL, CORSOrigins: c.CORSOrigins,
			Compress: c.Compress, Console: c.hasConsole(), Version: buildVersion(),
		},
		ShutdownDelay:   c.ShutdownDelay,
		ShutdownTimeout: c.ShutdownTimeout,
		Log:             log,
	}, err
}

// heapReserve is a part of the heap that is never touched, and so takes no memory. The
// garbage is collected when the heap has doubled: one of a few megabytes does so dozens of
// times a second under load, and collecting took a fifth of all computing.
const heapReserve = 24 << 20

// tlsFlags are the options of encryption, and of HTTP/2 without it.
type tlsFlags struct {
	TLSCertFile string `name:"tls-cert-file" env:"TLS_CERT_FILE" placeholder:"PATH" help:"Serve HTTPS, by HTTP/1.1 and HTTP/2, with the certificate in this file: PEM, with those that vouch for it below it. It is read again when it changes."`
	TLSKeyFile  string `name:"tls-key-file" env:"TLS_KEY_FILE" placeholder:"PATH" help:"File with the private key of that certificate, as PEM."`
	H2C         bool   `name:"h2c" env:"H2C" help:"Speak HTTP/2 without TLS, too, to proxies that begin with it, such as Caddy and Envoy."`
}

// Validate is called by the command line parser.
func (f tlsFlags) Validate() error {
	switch {
	case (f.TLSCertFile == "") != (f.TLSKeyFile == ""):
		return errors.New("--tls-cert-file and --tls-key-file (TLS_CERT_FILE and TLS_KEY_FILE) need each other")
	case f.TLSCertFile != "" && f.H2C:
		return errors.New("--h2c (H2C) is for a server without TLS: with --tls-cert-file (TLS_CERT_FILE) it speaks HTTP/2 by itself")
	}
	return nil
}

// scheme is that of the server's URLs.
func (f tlsFlags) scheme() string {
	if f.TLSCertFile != "" {
		return "https"
	}
	return "http"
}

// debugFlags are the options of the profiles.
type debugFlags struct {
	DebugAddress string `env:"DEBUG_ADDRESS" placeholder:"HOST:PORT" help:"Where on this machine to serve profiles of the running server, under /debug/pprof/. They show what is in memory, so other machines cannot be let in."`
}

// Validate is called by the command line parser. Profiles show what is in memory, so no
// option lets other machines have them.
func (f debugFlags) Validate() error {
	if f.DebugAddress == "" || isLocal(f.DebugAddress) {
		return nil
	}
	return errors.New("--debug-address (DEBUG_ADDRESS) must be a HOST:PORT that only this machine can reach, such as 127.0.0.1:6060")
}

// isLocal reports whether an address is a host and a port that only this machine can reach.
func isLocal(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
