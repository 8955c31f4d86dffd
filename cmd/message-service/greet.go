package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strconv"

	"github.com/message-service/message-service/internal/app"
	"github.com/message-service/message-service/internal/db"
)

// greet prints the URLs of the server and who can reach it, and the key that was made for its first start,
// if there is one. With --log-format json it logs a line instead, for a log collector.
func (c serveCommand) greet(w io.Writer, log *slog.Logger, server *app.App) {
	engine, address := server.DB.Engine, server.Address()
	authenticates := c.authenticates(c.ListenAddress)
	if c.LogFormat == "json" {
		log.Info("serving", "version", buildVersion(), "address", address.String(), "database", engine, "console", c.hasConsole(), "authentication", authenticates)
		if !authenticates && !isLocal(c.ListenAddress) {
			log.Warn("there is no authentication: every client that reaches this address can read and write all messages")
		}
		return
	}
	host := address.String()
	if tcp, ok := address.(*net.TCPAddr); ok && tcp.IP.IsUnspecified() {
		host = net.JoinHostPort("localhost", strconv.Itoa(tcp.Port))
	}
	origin, console, header := c.scheme()+"://"+host, "", ""
	if c.hasConsole() {
		console = "\n  Console         " + origin + "/console/"
		if server.FirstKey != "" {
			console += "#key=" + server.FirstKey // the page takes it out of its URL
		}
	}
	if authenticates {
		header = ` -H "Authorization: Bearer ` + cmp.Or(server.FirstKey, "$KEY") + `"`
	}
	// A single write, so that a reader of a pipe gets all lines at once.
	fmt.Fprintf(w, `Message Service %s on %s
%[3]s
  Documentation   %[4]s/docs/
  First message   curl %[4]s/v1/messages%[5]s --json '{"sender": "alice", "recipient": "bob", "text": "Hello!"}'
  Bob's messages  curl '%[4]s/v1/messages?recipient=bob'%[5]s

%[6]s

`, buildVersion(), map[db.Engine]string{db.Postgres: "PostgreSQL", db.SQLite: "SQLite"}[engine], console, origin, header, c.protection(address, server.FirstKey))
}

// protection says who can read and write messages.
func (c serveCommand) protection(address net.Addr, firstKey string) string {
	const unprotected = "There is no authentication: every "
	switch {
	case firstKey != "":
		return "Every request needs a credential. The service key above may do everything. Keep it: it is shown only this once."
	case c.authenticates(c.ListenAddress):
		return "Every request needs a credential: a service key, such as message-service key create makes, or a user token."
	case !isLocal(c.ListenAddress):
		return unprotected + "client that reaches " + address.String() + " can read and write all messages."
	case c.AllowUnauthenticated:
		return unprotected + "program on this machine, and every client of a proxy on it, can read and write all messages."
	}
	return unprotected + "program on this machine can read and write all messages, and no other machine. AUTH=required switches it on."
}

// isTerminal reports whether somebody reads what is written to w, unlike in a file, a pipe or /dev/null.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	null, nullErr := os.Stat(os.DevNull)
	return errors.Join(err, nullErr) == nil && info.Mode()&os.ModeCharDevice != 0 && !os.SameFile(info, null)
}
