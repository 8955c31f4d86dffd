// Message-service lets users send each other short text messages, and read recent
// ones, over an HTTP API. Without a command it serves; see --help.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/alecthomas/kong"
)

// version is set when a release is built.
var version string

// commands is the command line; each field is one command.
type commands struct {
	Serve   serveCommand   `cmd:"" default:"withargs" help:"Serve the API (the default command)."`
	Send    sendCommand    `cmd:"" help:"Send a message, through a running server."`
	Tail    tailCommand    `cmd:"" help:"Print a user's changes as they happen, from a running server."`
	Key     keyCommand     `cmd:"" help:"Make, list or revoke service keys, in the database."`
	Token   tokenCommand   `cmd:"" help:"Make a user token, with the secrets of the server."`
	Migrate migrateCommand `cmd:"" help:"Bring the database schema up to date, or show its state."`
	Export  exportCommand  `cmd:"" help:"Write everything that is stored as lines of JSON, to import elsewhere or as a backup."`
	Import  importCommand  `cmd:"" help:"Store an export, made on either engine, in an empty database."`
	Demo    demoCommand    `cmd:"" help:"Fill an empty database with a month of sample conversations."`
	Health  healthCommand  `cmd:"" help:"Exit with 0 if the server on this machine is alive, for container health checks."`
	Help    helpCommand    `cmd:"" help:"Show what a command does, and its options."`
	Version versionCommand `cmd:"" help:"Print the version."`

	Configuration configurationCommand `cmd:"" hidden:"" help:"Print docs/configuration.md."`

	VersionFlag kong.VersionFlag `name:"version" hidden:"" help:"Print the version."`
}

// streams are where a command writes: results to out, everything else to err.
type streams struct{ out, err io.Writer }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:], streams{os.Stdout, os.Stderr}))
}

// run runs the command line and returns the exit code: 0, 1 when the command
// failed, 2 when it could not be understood.
func run(ctx context.Context, args []string, std streams) (code int) {
	type exit int
	defer func() { // --help leaves through the parser's Exit
		if cause := recover(); cause != nil {
			status, ok := cause.(exit)
			if !ok {
				panic(cause)
			}
			code = int(status)
		}
	}()
	parser, err := newParser(ctx, std, func(status int) { panic(exit(status)) })
	if err != nil {
		fmt.Fprintln(std.err, "message-service:", err)
		return 2
	}
	command, err := parse(parser, args)
	if err == nil {
		warnOfMisspelt(command, os.Environ(), std.err) //nolint:forbidigo // the parser does not report variables that it did not read
		err = command.Run()
	}
	if err == nil {
		return 0
	}
	fmt.Fprintln(std.err, "message-service:", password.ReplaceAllString(err.Error(), "..."))
	if _, misunderstood := errors.AsType[usageError](err); misunderstood {
		return 2
	}
	return 1
}

type versionCommand struct{}

// Run prints the version.
func (versionCommand) Run(std streams) error {
	_, err := fmt.Fprintln(std.out, buildVersion())
	return err
}

func buildVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}

// logFlags are the options of the log, which goes to standard error.
type logFlags struct {
	LogLevel  slog.Level `env:"LOG_LEVEL" default:"info" placeholder:"LEVEL" help:"The lowest level to log: debug, info (each request except successful probes), warn or error."`
	LogFormat string     `env:"LOG_FORMAT" enum:"text,json" default:"text" placeholder:"FORMAT" help:"How to log: as text, or as lines of json."`
}

func (f logFlags) logger(w io.Writer) *slog.Logger {
	options := &slog.HandlerOptions{Level: f.LogLevel}
	if f.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// warnings is the logger of a command without log options: it logs warnings and errors.
func warnings(w io.Writer) *slog.Logger { return logFlags{LogLevel: slog.LevelWarn}.logger(w) }
