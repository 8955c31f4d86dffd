package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/message-service/message-service/internal/app"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/feed"
	"github.com/message-service/message-service/internal/httpapi"
	"github.com/message-service/message-service/internal/messaging"
)

type serveCommand struct {
	ListenAddress  string         `group:"Address" env:"LISTEN_ADDRESS" default:"127.0.0.1:8080" placeholder:"HOST:PORT" help:"The address to listen on. Port 0 chooses a free one."`
	PublicURL      string         `group:"Address" env:"PUBLIC_URL" placeholder:"URL" help:"The origin by which clients reach the server, such as https://chat.example.org, if a proxy or port mapping changes it. The contract that it serves names this origin, and web pages of this origin may use the API."`
	CORSOrigins    []string       `name:"cors-origins" group:"Address" env:"CORS_ORIGINS" placeholder:"URL,..." help:"Other origins whose web pages may use the API, such as https://app.example.org,http://localhost:5173. Without authentication such pages can do everything that any client of the server can."`
	TrustedProxies []netip.Prefix `group:"Address" env:"TRUSTED_PROXIES" placeholder:"CIDR,..." help:"The addresses of proxies whose X-Forwarded-For is believed, such as 10.0.0.0/8: the log then has the address of the client, and the limit of failed authentication counts by it. From others the header is ignored."`
	Compress       bool           `group:"Address" env:"COMPRESS" help:"Compress responses from 8 kB, and exports, with gzip for clients that accept it; streams are not compressed. A page of 100 short messages then takes less than half the bytes, and 0.25 ms more CPU time."`
	Console        *bool          `group:"Address" env:"CONSOLE" negatable:"" help:"Serve the console at /console/. By default it is served if requests need a credential, or if no other machine can reach the server."`

	identityFlags `group:"Identity"`
	groupFlags    `group:"Groups"`

	tlsFlags `group:"TLS and HTTP/2"`

	schemaFlags     `group:"Database"`
	connectionFlags `group:"Database"`
	Notify          bool `group:"Database" env:"NOTIFY" default:"true" negatable:"" help:"Publish changes to the other servers on the same Postgres by NOTIFY, and LISTEN for theirs. Without it, or behind a pooler in transaction mode, they see changes within 2 seconds, by polling."`

	QueueSize  int `group:"Limits" env:"QUEUE_SIZE" default:"4096" placeholder:"N" help:"How many sends to users may wait to be stored, how many to groups, and how many other changes, from 1 to 1000000; a sixteenth of that for the other changes of one mailbox. Further ones are answered 503."`
	MaxStreams int `group:"Limits" env:"MAX_STREAMS" default:"20000" placeholder:"N" help:"How many streams of changes, and requests waiting for a change, may be open at a time, from 1 to 1000000. Further ones are answered 429, as is the 11th of a user."`

	ShutdownDelay   time.Duration `group:"Shutdown" env:"SHUTDOWN_DELAY" default:"0s" placeholder:"DURATION" help:"How long the server goes on serving after SIGTERM while /ready answers 503, so that load balancers notice."`
	ShutdownTimeout time.Duration `group:"Shutdown" env:"SHUTDOWN_TIMEOUT" default:"25s" placeholder:"DURATION" help:"How long it then waits for requests to end."`

	logFlags   `group:"Log and profiles"`
	debugFlags `group:"Log and profiles"`
}

// Validate is called by the command line parser.
func (c serveCommand) Validate() error {
	if err := cmp.Or(c.schemaFlags.Validate(), c.connectionFlags.Validate(), c.debugFlags.Validate(), c.tlsFlags.Validate(), c.identityFlags.Validate(), c.groupFlags.Validate()); err != nil {
		return err
	}
	if _, _, err := net.SplitHostPort(c.ListenAddress); err != nil {
		return errors.New("--listen-address (LISTEN_ADDRESS) must be HOST:PORT, such as 127.0.0.1:8080")
	}
	if !isLocal(c.ListenAddress) && c.Auth == "off" && !c.AllowUnauthenticated {
		return errors.New("without authentication every client that reaches " + c.ListenAddress + " could read and write all messages: " +
			"leave out --auth off (AUTH), or pass --allow-unauthenticated (ALLOW_UNAUTHENTICATED=true) too")
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

// hasConsole reports whether the console is served. Without authentication anybody can read and write for
// all users with it, so beyond this machine it is then served only if an operator asks for it.
func (c serveCommand) hasConsole() bool {
	if c.Console != nil {
		return *c.Console
	}
	return c.authenticates(c.ListenAddress) || isLocal(c.ListenAddress) && !c.AllowUnauthenticated
}

// Run serves until ctx ends.
func (c serveCommand) Run(ctx context.Context, std streams) error {
	log := c.logger(std.err)
	options, err := c.options(log)
	if err != nil {
		return err
	}
	options.MakeKey = isLocal(c.ListenAddress) && c.LogFormat == "text" && isTerminal(std.out)
	if os.Getenv("GOGC") == "" { //nolint:forbidigo // it is not of the service: Go has read it
		debug.SetGCPercent(gcPercent)
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
	c.greet(std.out, log, server)
	go debug.FreeOSMemory() // the start left garbage behind, which the reserve would keep from being collected for long
	if err := errors.Join(server.Run(ctx), server.Close()); err != nil {
		return err
	}
	log.Info("stopped")
	return nil
}

// options converts the flags to options of the server.
func (c serveCommand) options(log *slog.Logger) (app.Options, error) {
	url, err := c.url()
	if err != nil {
		return app.Options{}, err
	}
	credentials, err := c.identity()
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
		Identity:        credentials,
		Messaging: messaging.Options{
			QueueSize: c.QueueSize, SearchOff: !c.Search,
			GroupsByUsers: c.GroupCreate == "users", GroupMaxMembers: c.GroupMaxMembers, UserMaxGroups: c.UserMaxGroups,
		},
		Feed: feed.Options{MaxStreams: c.MaxStreams},
		API: httpapi.Options{
			Authenticate: c.authenticates(c.ListenAddress), AllowUnauthenticated: c.AllowUnauthenticated,
			TrustedProxies: c.TrustedProxies, RateLimits: c.limits(), PublicURL: c.PublicURL, CORSOrigins: c.CORSOrigins,
			Compress: c.Compress, Console: c.hasConsole(), Version: buildVersion(),
		},
		ShutdownDelay:   c.ShutdownDelay,
		ShutdownTimeout: c.ShutdownTimeout,
		Log:             log,
	}, err
}

// heapReserve is the size in bytes of a heap ballast: it is never touched, so it takes no physical memory,
// but it makes garbage collections rarer. With a live heap of a few megabytes they happened dozens of times
// a second under load and took a fifth of the CPU time.
const heapReserve = 12 << 20

// gcPercent is the GOGC of the server, unless the environment has one. With thousands of streams a collection takes all processors
// for tens of milliseconds, in which sends wait.
const gcPercent = 200

// tlsFlags are the options of TLS, and of HTTP/2 without TLS.
type tlsFlags struct {
	TLSCertFile string `name:"tls-cert-file" env:"TLS_CERT_FILE" placeholder:"PATH" help:"Serve HTTPS, with HTTP/1.1 and HTTP/2, with the certificate in this PEM file, followed by its intermediate certificates. The file is reloaded when it changes. It needs TLS_KEY_FILE."`
	TLSKeyFile  string `name:"tls-key-file" env:"TLS_KEY_FILE" placeholder:"PATH" help:"The PEM file with the private key of that certificate. It needs TLS_CERT_FILE."`
	H2C         bool   `name:"h2c" env:"H2C" help:"Also speak HTTP/2 without TLS (h2c with prior knowledge), for proxies such as Caddy and Envoy. Not with TLS_CERT_FILE."`
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

// scheme is the scheme of the server's URLs.
func (f tlsFlags) scheme() string {
	if f.TLSCertFile != "" {
		return "https"
	}
	return "http"
}

// debugFlags are the options of the profiles.
type debugFlags struct {
	DebugAddress string `env:"DEBUG_ADDRESS" placeholder:"HOST:PORT" help:"The local address on which to serve profiles of the running server, under /debug/pprof/. They show what is in memory, so other machines cannot be allowed."`
}

// Validate is called by the command line parser.
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
