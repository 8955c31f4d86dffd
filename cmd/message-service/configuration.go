package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// configurationCommand prints docs/configuration.md, for make generate.
type configurationCommand struct{}

// more is what the documentation adds below the title of a group of options.
var more = map[string]string{
	"Address":        "See [who may reach it](operations.md#who-may-reach-it).",
	"Identity":       "See [security](security.md).",
	"TLS and HTTP/2": "See [TLS and HTTP/2](operations.md#tls-and-http2).",
	"Database":       "See [the URL of a Postgres](operations.md#the-url-of-a-postgres) for several hosts and for options.",
	otherCommands:    "What `send` and `tail` read beside those; `health` checks the server on this machine only.",
}

const otherCommands = "Commands that call a server"

// Run prints every option that has an environment variable, in a table for each group.
func (configurationCommand) Run(parser *kong.Kong, std streams) error {
	_, err := fmt.Fprint(std.out, configuration(parser.Model))
	return err
}

func configuration(model *kong.Application) string {
	var text strings.Builder
	text.WriteString(`<!-- Made by "make generate" from the definitions of the command line. -->

# Configuration

Every option of ` + "`message-service serve`" + ` is a flag and an environment variable; a flag wins. A duration is written like
` + "`30s` or `5m`" + `. ` + "`message-service serve --help`" + ` lists all of them, and ` + "`message-service help COMMAND`" + ` those of
another command.
`)
	groups, rows := []string{}, map[string][]string{}
	seen := map[string]bool{}
	add := func(group string, flag *kong.Flag) {
		if len(flag.Envs) == 0 || flag.Hidden || seen[flag.Envs[0]] {
			return
		}
		seen[flag.Envs[0]] = true
		if !slices.Contains(groups, group) {
			groups = append(groups, group)
		}
		rows[group] = append(rows[group], row(flag))
	}
	for _, flag := range model.DefaultCmd.Flags {
		group := "Other"
		if flag.Group != nil {
			group = flag.Group.Title
		}
		add(group, flag)
	}
	for _, command := range model.Children {
		for _, flag := range command.Flags {
			add(otherCommands, flag)
		}
	}
	for _, group := range groups {
		fmt.Fprintf(&text, "\n## %s\n\n", group)
		if more[group] != "" {
			text.WriteString(more[group] + "\n\n")
		}
		text.WriteString("| variable | flag | default | meaning |\n|---|---|---|---|\n" + strings.Join(rows[group], ""))
	}
	return text.String()
}

// row is one option's line of a table.
func row(flag *kong.Flag) string {
	name, standard := "--"+flag.Name, ""
	if flag.Tag.Negatable != "" && flag.Default == "true" {
		name = "--no-" + flag.Name
	}
	switch {
	case flag.HasDefault:
		standard = "`" + flag.Default + "`"
	case flag.IsBool() && flag.Tag.Negatable == "":
		standard = "`false`"
	}
	meaning := strings.ReplaceAll(literal.ReplaceAllString(flag.Help, "`$0`"), "|", `\|`)
	return fmt.Sprintf("| `%s` | `%s` | %s | %s |\n", flag.Envs[0], name, standard, meaning)
}

// literal matches what the tables set as code: options, paths, addresses, names of variables.
var literal = regexp.MustCompile(`--[a-z][a-z-]*|\b(postgres|https?|sqlite):[^\s,]*[\w/](,https?:[^\s,]*[\w/])*|\B/[a-z]+(/[a-z]+)*/?|\b[A-Z]+_[A-Z_]*[A-Z]\b|\b127\.0\.0\.1[:\d]*`)
