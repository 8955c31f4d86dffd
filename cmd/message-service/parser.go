package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/message-service/message-service/internal/ratelimit"
)

// newParser makes the parser of the command line. It calls exit after --help and --version.
func newParser(ctx context.Context, std streams, exit func(int)) (*kong.Kong, error) {
	return kong.New(&commands{},
		kong.Name("message-service"),
		kong.Description("Self-hosted messaging: users send each other short text messages, alone or in groups, "+
			"over an HTTP API. Without configuration it serves http://127.0.0.1:8080/ on an embedded SQLite database."),
		kong.Vars{"version": buildVersion()},
		kong.Writers(std.out, std.err),
		kong.Exit(exit),
		kong.BindTo(ctx, (*context.Context)(nil)),
		kong.Bind(std),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, WrapUpperBound: 100}),
		kong.ValueFormatter(describe),
		readAs(parseDuration), readAs(parseLevel), readAs(parseNumber), readAs(parseID),
		readAs(parseAuth), readAs(parseGroupCreators), readAs(parsePrefix), readAs(parseScope), readAs(ratelimit.ParseLimit),
	)
}

// usageError is a command line that cannot be understood.
type usageError struct{ error }

// parse parses the command line. Every error is a usageError.
func parse(parser *kong.Kong, args []string) (*kong.Context, error) {
	if len(args) > 0 && args[0] != "" && !strings.HasPrefix(args[0], "-") {
		if err := checkCommand(parser, args[0]); err != nil {
			return nil, usageError{err}
		}
	}
	command, err := parser.Parse(args)
	if err == nil {
		return command, nil
	}
	said := databaseURL.ReplaceAllString(err.Error(), "postgres:...")
	said = fromEnvironment.ReplaceAllString(said, " (in the environment variable $1)")
	said = missingArgument.ReplaceAllString(said, "missing argument $1")
	if len(args) > 0 && args[0] == "send" && strings.HasPrefix(said, "unexpected argument") {
		said += " (a text of several words takes quotes)"
	}
	if isMissing.MatchString(said) && !strings.Contains(said, "did you mean") {
		name := "message-service"
		if misunderstood, ok := errors.AsType[*kong.ParseError](err); ok && misunderstood.Context.Command() != "" {
			words, _, _ := strings.Cut(misunderstood.Context.Command(), " <")
			name += " " + words
		}
		said += "; see " + name + " --help"
	}
	return nil, usageError{errors.New(said)}
}

// checkCommand refuses an unknown command, which the parser would take for an argument of serve.
func checkCommand(parser *kong.Kong, name string) error {
	var names []string
	for _, command := range parser.Model.Children {
		if command.Name == name {
			return nil
		}
		if !command.Hidden {
			names = append(names, command.Name)
		}
	}
	if meant := nearest(name, names); meant != "" {
		return fmt.Errorf("there is no command %s, did you mean %s?", databaseURL.ReplaceAllString(name, "postgres:..."), meant)
	}
	return fmt.Errorf("there is no command %s (there are %s)", databaseURL.ReplaceAllString(name, "postgres:..."), strings.Join(names, ", "))
}

var (
	// databaseURL and password match what error messages must not print: a database URL given in the
	// wrong place, up to the end since its password may have spaces, and the credentials of any URL.
	databaseURL = regexp.MustCompile(`postgres(ql)?:.*`)
	password    = regexp.MustCompile(`[^\s"=]*:\S*@\S*`)

	fromEnvironment = regexp.MustCompile(` \(from envar (\w+)=.*\)$`)
	missingArgument = regexp.MustCompile(`^expected "(<.+>)"`)
	isMissing       = regexp.MustCompile(`^(unknown flag|unexpected argument|expected|missing)`)
)

type helpCommand struct {
	Command []string `arg:"" optional:"" help:"The command; without one, all commands are listed."`
}

// Run prints the help and exits.
func (c helpCommand) Run(parser *kong.Kong) error {
	_, err := parse(parser, append(c.Command, "--help"))
	return err
}

// describe returns the help of an option with its default and its environment variable.
func describe(value *kong.Value) string {
	var more []string
	if value.HasDefault && value.Flag != nil {
		more = append(more, "default: "+value.Default)
	}
	for _, name := range value.Tag.Envs {
		more = append(more, "$"+name)
	}
	if len(more) == 0 {
		return value.Help
	}
	return value.Help + " (" + strings.Join(more, "; ") + ")"
}
