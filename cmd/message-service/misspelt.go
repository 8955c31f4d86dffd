package main

import (
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"strings"

	"github.com/alecthomas/kong"
)

// elsewhere maps variables that similar programs read to those of this one.
var elsewhere = map[string]string{
	"PORT": "LISTEN_ADDRESS", "LISTEN_ADDR": "LISTEN_ADDRESS", "LISTEN_PORT": "LISTEN_ADDRESS", "BIND_ADDRESS": "LISTEN_ADDRESS",
	"DB_URL": "DATABASE_URL", "DATABASE_DSN": "DATABASE_URL",
}

// foreign are variables that resemble ours but are read by the Go standard library.
var foreign = map[string]bool{"SSL_CERT_FILE": true, "SSL_CERT_DIR": true}

// misspelt returns a warning for each variable of an environment that is not ours but probably stands for
// one that the command reads and that is not set.
func misspelt(environment, reads, ours []string) []string {
	set, known := map[string]bool{}, map[string]bool{}
	for _, name := range ours {
		known[name] = true
	}
	var names, warnings []string
	for _, variable := range environment {
		name, _, _ := strings.Cut(variable, "=")
		set[name] = true
		if !known[name] && !foreign[name] {
			names = append(names, name)
		}
	}
	read := map[string]bool{}
	for _, name := range reads {
		read[name] = true
	}
	for _, name := range names {
		meant := elsewhere[strings.ToUpper(name)]
		if meant == "" {
			meant = nearestVariable(name, reads)
		}
		if read[meant] && !set[meant] {
			warnings = append(warnings, fmt.Sprintf("the environment variable %s is not read, did you mean %s?", name, meant))
		}
	}
	return warnings
}

// nearestVariable returns the variable that a name probably misspells, or "". It allows one edit for
// every six letters: a variable one letter away from a short name may well belong to another program.
func nearestVariable(name string, variables []string) string {
	for _, variable := range variables {
		if strings.EqualFold(name, variable) || len(variable) >= 5 && distance(name, variable) <= len(variable)/6 {
			return variable
		}
	}
	return ""
}

// nearest returns the name with the smallest distance from a word, or that it is a prefix of; "" if none
// is near.
func nearest(word string, names []string) string {
	best, closest := "", 3
	for _, name := range names {
		d := distance(word, name)
		if strings.HasPrefix(name, word) {
			d = 0
		}
		if d < closest && d < len(word) {
			best, closest = name, d
		}
	}
	return best
}

// distance is the optimal string alignment distance: how many letters must be inserted, deleted or
// replaced, or adjacent ones swapped, to turn one word into the other.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			replaced := rows[i-1][j-1]
			if a[i-1] != b[j-1] {
				replaced++
			}
			rows[i][j] = min(replaced, rows[i-1][j]+1, rows[i][j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

// variables returns the environment variables of a command and its subcommands.
func variables(node *kong.Node) (names []string) {
	for _, flag := range node.Flags {
		names = append(names, flag.Envs...)
	}
	for _, child := range node.Children {
		names = append(names, variables(child)...)
	}
	return names
}

// warnOfMisspelt warns of environment variables that are probably misspelt: to the log if the command has
// log options, otherwise to standard error.
func warnOfMisspelt(command *kong.Context, environment []string, stderr io.Writer) {
	selected := command.Selected()
	if selected == nil {
		return
	}
	warn := func(text string) { fmt.Fprintln(stderr, "message-service:", text) }
	if logs, ok := reflect.TypeAssert[interface{ logger(io.Writer) *slog.Logger }](selected.Target); ok {
		warn = func(text string) { logs.logger(stderr).Warn(text) }
	}
	for _, text := range misspelt(environment, variables(selected), variables(command.Model.Node)) {
		warn(text)
	}
}
