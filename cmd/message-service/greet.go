package main

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"strconv"

	"github.com/message-service/message-service/internal/db"
)

// greet prints the URLs of the server and who can reach it. With --log-format json it logs a line instead,
// for a log collector.
func (c serveCommand) greet(w io.Writer, log *slog.Logger, engine db.Engine, address net.Addr) {
	exposed := !isLocal(c.ListenAddress)
	if c.LogFormat == "json" {
		log.Info("serving", "version", buildVersion(), "address", address.String(), "database", engine, "console", c.hasConsole())
		if exposed {
			log.Warn("there is no authentication: every client that reaches this address can read and write all messages")
		}
		return
	}
	host := address.String()
	if tcp, ok := address.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		host = net.JoinHostPort("localhost", strconv.Itoa(tcp.Port))
	}
	origin, console := c.scheme()+"://"+host, ""
	if c.hasConsole() {
		console = "\n  Console         " + origin + "/console/"
	}
	protection := "every program on this machine can read and write all messages, and no other machine"
	switch {
	case exposed:
		protection = "every client that reaches " + address.String() + " can read and write all messages"
	case c.AllowUnauthenticated:
		protection = "every program on this machine, and every client of a proxy on it, can read and write all messages"
	}
	// A single write, so that a reader of a pipe gets all lines at once.
	fmt.Fprintf(w, `Message Service %s on %s
%[3]s
  Documentation   %[4]s/docs/
  First message   curl %[4]s/v1/messages --json '{"sender": "alice", "recipient": "bob", "text": "Hello!"}'
  Bob's messages  curl '%[4]s/v1/messages?recipient=bob'

There is no authentication: %[5]s.

`, buildVersion(), map[db.Engine]string{db.Postgres: "PostgreSQL", db.SQLite: "SQLite"}[engine], console, origin, protection)
}
