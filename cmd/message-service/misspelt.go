package main

import (
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"strings"

	"github.com/alecthomas/kong"
)

// elsewhere are variables that other programs of this kind read, and the one that we read.
var elsewhere = map[string]string{
	"PORT": "LISTEN_ADDRESS", "LISTEN_ADDR": "LISTEN_ADDRESS", "LISTEN_PORT": "LISTEN_ADDRESS", "BIND_ADDRESS": "LISTEN_ADDRESS",
	"DB_URL": "DATABASE_URL", "DATABASE_DSN": "DATABASE_URL",
}

// foreign are variables that look like ours and are read by what we are made of.
var foreign = map[string]bool{"SSL_CERT_FILE": true, "SSL_CERT_DIR": true}

// misspelt returns what to say of variables in an environment that are not ours and look as if
// they were meant to be one of those that a command reads. That one must not be set itself.
func misspelt(environment, reads, ours []string) []string {
	set, known := map[string]bool{}, map[string]bool{}
	for _, name := range ours {
		known[name] = true
	}
	var names, says []string
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
			says = append(says, fmt.Sprintf("the environment variable %s is not read, did you mean %s?", name, meant))
		}
	}
	return says
}

// nearestVariable is the variable that a name is a slip away from. The shorter it is the less
// may differ: what is one letter away from SEARCH may well be the variable of another program.
func nearestVariable(name string, variables []string) string {
	for _, variable := range variables {
		if strings.EqualFold(name, variable) || len(variable) >= 5 && distance(name, variable) <= len(variable)/6 {
			return variable
		}
	}
	return ""
}

// nearest is the name that a word is closest to, or begins; empty if it is far from all.
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

// distance is how many letters must be added, left out or replaced, or neighbours swapped, to
// make one word of the other: the optimal string alignment distance.
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

// variables are the environment variables of a command, or of all if it has others below it.
func variables(node *kong.Node) (names []string) {
	for _, flag := range node.Flags {
		names = append(names, flag.Envs...)
	}
	for _, child := range node.Children {
		names = append(names, variables(child)...)
	}
	return names
}

// warnOfMisspelt warns of variables that a command does not read, and was probably meant to.
func warnOfMisspelt(command *kong.Context, environment []string, errs io.Writer) {
	selected := command.Selected()
	if selected == nil {
		return
	}
	warn := func(text string) { fmt.Fprintln(errs, "message-service:", text) }
	if logs, ok := reflect.TypeAssert[interface{ logger(io.Writer) *slog.Logger }](selected.Target); ok {
		warn = func(text string) { logs.logger(errs).Warn(text) }
	}
	for _, text := range misspelt(environment, variables(selected), variables(command.Model.Node)) {
		warn(text)
	}
}
