package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// pgbench is Postgres's own load generator. As a reference, it does the same work with a script of the
// folder sql on a database, one statement or one transaction at a time.
type pgbench struct {
	script    string   // without .sql
	database  string   // its URL
	variables []string // as arguments
}

// references measures a script with each number of clients, with a connection each. It returns none
// without pgbench, which the Postgres binaries downloaded for tests do not include.
func (s *suite) references(p pgbench, subject string, clients []int) (references []measurement) {
	if _, err := os.Stat(s.pgbenchPath()); err != nil {
		s.progress("%s: no reference, since there is no %s", subject, s.pgbenchPath())
		return nil
	}
	if s.Short { // each takes a second
		clients = clients[:1]
	}
	for _, n := range clients {
		references = append(references, measurement{subject: subject, connections: n, run: func(ctx context.Context) (outcome, error) {
			return s.runPgbench(ctx, p, n)
		}})
	}
	return references
}

func (s *suite) pgbenchPath() string { return filepath.Join(s.cluster.Binaries, "pgbench") }

// runPgbench runs a script for the duration of one measurement, rounded to seconds as pgbench requires.
func (s *suite) runPgbench(ctx context.Context, p pgbench, clients int) (outcome, error) {
	seconds := max(1, int(s.Duration.Round(time.Second).Seconds()))
	ctx, cancel := context.WithTimeout(ctx, time.Duration(seconds)*time.Second+responseTimeout)
	defer cancel()
	prefix := s.newPath("log")
	args := []string{
		"--protocol", "prepared", "--no-vacuum",
		"--client", strconv.Itoa(clients), "--jobs", strconv.Itoa(min(2, clients)), "--time", strconv.Itoa(seconds),
		"--file", "sql/" + p.script + ".sql", "--log", "--log-prefix", prefix,
	}
	output, err := exec.CommandContext(ctx, s.pgbenchPath(), append(append(args, p.variables...), p.database)...).CombinedOutput()
	if err != nil {
		return outcome{}, fmt.Errorf("pgbench: %w\n%s", err, output)
	}
	perSecond, err := strconv.ParseFloat(match(output, `tps = ([0-9.]+) \(without initial connection time\)`), 64)
	if err != nil {
		return outcome{}, fmt.Errorf("pgbench says no rate: %w\n%s", err, output)
	}
	o := outcome{latencies: newLatencies()}
	logs, _ := filepath.Glob(prefix + ".*") // fails only on a malformed pattern; one log per thread
	for _, log := range logs {
		text, err := os.ReadFile(log)
		if err != nil {
			return o, err
		}
		for line := range strings.Lines(string(text)) {
			var client, number, microseconds int
			if _, err := fmt.Sscan(line, &client, &number, &microseconds); err != nil {
				return o, fmt.Errorf("pgbench logged %q: %w", line, err)
			}
			o.add(time.Duration(microseconds) * time.Microsecond)
		}
	}
	o.elapsed = time.Duration(o.count() / perSecond * float64(time.Second))
	return o, nil
}
