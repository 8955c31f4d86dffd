package main

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// The references: what Postgres does of the same work when its own load generator
// asks for it, one statement or one transaction at a time.
//
//go:embed pgbench/*.sql
var pgbenchScripts embed.FS

// pgbench runs a script of that folder against a database.
type pgbench struct {
	script    string // without .sql
	database  string // its URL
	variables []string
}

// hasPgbench tells whether there are references at all: Postgres binaries that were
// fetched for the tests come without pgbench.
func (s *suite) hasPgbench() bool {
	_, err := os.Stat(s.pgbenchPath())
	return err == nil
}

func (s *suite) pgbenchPath() string { return filepath.Join(s.cluster.Binaries, "pgbench") }

// reference measures a script with so many clients, each on a connection of its own.
func (s *suite) reference(p pgbench, subject string, clients int) measurement {
	return measurement{subject: subject, connections: clients, run: func(ctx context.Context) (outcome, error) {
		return s.runPgbench(ctx, p, clients)
	}}
}

var pgbenchRate = regexp.MustCompile(`tps = ([0-9.]+) \(without initial connection time\)`)

// runPgbench runs a script for the time of one measurement; pgbench counts in seconds.
func (s *suite) runPgbench(ctx context.Context, p pgbench, clients int) (outcome, error) {
	seconds := max(1, int(s.Duration.Round(time.Second).Seconds()))
	ctx, cancel := context.WithTimeout(ctx, time.Duration(seconds)*time.Second+patience)
	defer cancel()
	script, prefix := s.newPath(p.script+".sql"), s.newPath("log")
	text, err := pgbenchScripts.ReadFile("pgbench/" + p.script + ".sql")
	if err != nil {
		return outcome{}, err
	}
	if err := os.WriteFile(script, text, 0o600); err != nil {
		return outcome{}, err
	}
	args := []string{
		"--host", s.cluster.Directory, "--username", "postgres", "--protocol", "prepared", "--no-vacuum",
		"--client", strconv.Itoa(clients), "--jobs", strconv.Itoa(min(2, clients)), "--time", strconv.Itoa(seconds),
		"--file", script, "--log", "--log-prefix", prefix,
	}
	for _, variable := range p.variables {
		args = append(args, "--define", variable)
	}
	var output bytes.Buffer
	command := exec.CommandContext(ctx, s.pgbenchPath(), append(args, databaseName(p.database))...)
	command.Stdout, command.Stderr = &output, &output
	if err := command.Run(); err != nil {
		return outcome{}, fmt.Errorf("pgbench: %w\n%s", err, output.Bytes())
	}
	rate := pgbenchRate.FindSubmatch(output.Bytes())
	if rate == nil {
		return outcome{}, fmt.Errorf("pgbench says no rate:\n%s", output.Bytes())
	}
	perSecond, err := strconv.ParseFloat(string(rate[1]), 64)
	if err != nil {
		return outcome{}, err
	}
	latencies, err := readPgbenchLogs(prefix)
	if err != nil {
		return outcome{}, err
	}
	elapsed := time.Duration(float64(len(latencies)) / perSecond * float64(time.Second))
	return outcome{elapsed: elapsed, latencies: latencies}, nil
}

// readPgbenchLogs reads and removes the logs of the threads: a line for each
// transaction, whose third field is how many microseconds it took.
func readPgbenchLogs(prefix string) ([]time.Duration, error) {
	paths, err := filepath.Glob(prefix + ".*")
	if err != nil {
		return nil, err
	}
	var latencies []time.Duration
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		for line := range bytes.Lines(text) {
			fields := bytes.Fields(line)
			if len(fields) < 3 {
				return nil, fmt.Errorf("pgbench logged %q", line)
			}
			microseconds, err := strconv.Atoi(string(fields[2]))
			if err != nil {
				return nil, fmt.Errorf("pgbench logged %q", line)
			}
			latencies = append(latencies, time.Duration(microseconds)*time.Microsecond)
		}
		if err := os.Remove(path); err != nil {
			return nil, err
		}
	}
	slices.Sort(latencies)
	return latencies, nil
}
