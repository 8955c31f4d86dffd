package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// TestMain makes the test binary run as the program if the environment says so, so that tests
// can start it as a process and kill it.
func TestMain(m *testing.M) {
	if os.Getenv("RUN_MESSAGE_SERVICE") != "" {
		main()
	}
	os.Exit(m.Run())
}

// startProcess runs this test binary as the program.
func startProcess(t *testing.T, databaseURL string) *apitest.Process {
	t.Helper()
	return apitest.StartProcess(t, os.Args[0], databaseURL, "RUN_MESSAGE_SERVICE=1")
}

// runHere runs a command line in the test's process.
func runHere(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second) // ends a command that serves although it should be refused
	defer cancel()
	var stdout, stderr bytes.Buffer
	code = run(ctx, args, streams{&stdout, &stderr})
	return code, stdout.String(), stderr.String()
}

func TestCommandLineRefuses(t *testing.T) {
	t.Parallel()
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("mysql://from-a-file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	pipe, large := filepath.Join(t.TempDir(), "pipe"), filepath.Join(t.TempDir(), "large")
	if err := errors.Join(syscall.Mkfifo(pipe, 0o600), os.WriteFile(large, bytes.Repeat([]byte{'\n'}, 64<<10+1), 0o600)); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args []string
		code int
		says string
	}{
		"unknown option":      {[]string{"--nope"}, 2, "unknown flag --nope"},
		"unknown options":     {[]string{"export", "--outpu", "x"}, 2, `unknown flag --outpu, did you mean "--output"?`},
		"unknown command":     {[]string{"bogus"}, 2, "there is no command bogus (there are serve, send, "},
		"misspelt command":    {[]string{"srve"}, 2, "there is no command srve, did you mean serve?"},
		"part of a command":   {[]string{"imp", "--help"}, 2, "there is no command imp, did you mean import?"},
		"help for nothing":    {[]string{"help", "srve"}, 2, "there is no command srve, did you mean serve?"},
		"a URL as a command":  {[]string{"postgres://u:s3cret@h/x"}, 2, "there is no command postgres:... (there are"},
		"one without slashes": {[]string{"u:s3cret@h"}, 2, "there is no command ... (there are"},
		"all addresses":       {[]string{"--listen-address", "0.0.0.0:0", "--auth=off"}, 2, "--allow-unauthenticated"},
		"all addresses, v6":   {[]string{"--listen-address", "[::]:0", "--auth=off"}, 2, "--allow-unauthenticated"},
		"no host":             {[]string{"--listen-address", ":8080", "--auth=off"}, 2, "--allow-unauthenticated"},
		"another host":        {[]string{"--listen-address", "example.org:80", "--auth=off"}, 2, "--allow-unauthenticated"},
		"no port":             {[]string{"--listen-address", "127.0.0.1"}, 2, "HOST:PORT"},
		"unknown database":    {[]string{"--database-url", "mysql://x"}, 1, "(DATABASE_URL) must be postgres://... or sqlite:PATH"},
		"unknown in a file":   {[]string{"--database-url-file", secret}, 1, "(DATABASE_URL) must be postgres://... or sqlite:PATH"},
		"missing file":        {[]string{"--database-url-file", secret + "x"}, 1, "no such file"},
		"no file":             {[]string{"--database-url-file", filepath.Dir(secret)}, 1, "is no regular file"},
		"a pipe":              {[]string{"--database-url-file", pipe}, 1, "is no regular file"},
		"an endless file":     {[]string{"--database-url-file", "/dev/zero"}, 1, "is no regular file"},
		"a large file":        {[]string{"--database-url-file", large}, 1, "has more than 65536 bytes"},
		"two databases":       {[]string{"--database-url", "sqlite:a", "--database-url-file", secret}, 2, "exclude each other"},
		"profiles for all":    {[]string{"--debug-address", "0.0.0.0:0", "--allow-unauthenticated"}, 2, "--debug-address"},
		"profiles, no port":   {[]string{"--debug-address", "127.0.0.1"}, 2, "HOST:PORT"},
		"connections":         {[]string{"--database-max-connections", "1"}, 2, "from 2 to 1000"},
		"queue":               {[]string{"--queue-size", "0"}, 2, "from 1 to 1000000"},
		"creators of groups":  {[]string{"--group-create", "everyone"}, 2, "--group-create: must be services or users"},
		"large groups":        {[]string{"--group-max-members", "10001"}, 2, "--group-max-members (GROUP_MAX_MEMBERS) must be from 2 to 10000"},
		"small groups":        {[]string{"--group-max-members", "1"}, 2, "from 2 to 10000"},
		"no groups":           {[]string{"--user-max-groups", "0"}, 2, "--user-max-groups (USER_MAX_GROUPS) must be from 1 to 10000"},
		"many groups":         {[]string{"--user-max-groups", "10001"}, 2, "from 1 to 10000"},
		"log level":           {[]string{"--log-level", "loud"}, 2, "--log-level: must be debug, info, warn or error"},
		"duration":            {[]string{"--database-wait", "30"}, 2, "--database-wait: must be a duration such as 30s or 5m"},
		"an option of SQLite": {[]string{"--database-url", "sqlite:x.db?mode=ro"}, 1, "no options"},
		"log format":          {[]string{"--log-format", "xml"}, 2, "text"},
		"folder is not there": {[]string{"--database-wait", "0s", "--database-url", "sqlite:/nowhere/x.db"}, 1, "there is no folder /nowhere"},
		"a folder as a store": {[]string{"--database-url", "sqlite:" + filepath.Dir(secret)}, 1, "cannot open " + filepath.Dir(secret) + ": this user must be able to read and write it"},
		"a store of others":   {[]string{"--database-url", "sqlite:" + secret}, 1, secret + " is no SQLite database"},
		"nobody answers":      {[]string{"--database-wait", "0s", "--database-url", "postgres://u:s3cret@127.0.0.1:1/x"}, 1, "--database-url (DATABASE_URL) says where"},
		"a broken URL":        {[]string{"--database-url", "postgres://u:s3cret%zz@h/x"}, 1, "it is like postgres://host:5432/name"},
		"another broken URL":  {[]string{"--database-url", "postgres://u:s3cret/@h/x"}, 1, "percent-encoded"},
		"a URL as a file":     {[]string{"--database-url-file", "postgres://u:s3cret@h/x"}, 1, "no such file"},
		"a URL by itself":     {[]string{"serve", "postgres://u:s3cret@h/x"}, 2, "postgres:..."},
		"a URL as an option":  {[]string{"--postgres://u:s3cret@h/x"}, 2, "postgres:..."},
		"a URL as a number":   {[]string{"--queue-size", "postgres://u:s3cret@h/x"}, 2, "--queue-size"},
		"a URL without one":   {[]string{"serve", "u:s3cret@h"}, 2, "unexpected argument ..."},
		"another URL":         {[]string{"export", "mysql://u:s3cret@h"}, 2, "unexpected argument ..."},
		"one as a number":     {[]string{"--database-max-connections", "u:s3cret@h"}, 2, "--database-max-connections: must be a whole number"},
		"one as a file":       {[]string{"--database-url-file", "u:s3cret@h"}, 1, "no such file"},
		"one as a server":     {[]string{"tail", "bob", "--server", "http://u:s3cret%zz@h"}, 2, "must be such as"},
		"no slashes":          {[]string{"--database-url", "postgres:u:s3cret@h"}, 1, "(DATABASE_URL) must be postgres://... or sqlite:PATH"},
		"an option of psql":   {[]string{"--database-url", "postgres://u:s3cret@h/x?sslcrl=s3cret"}, 1, "the option sslcrl"},
		"a path":              {[]string{"--public-url", "https://example.org/chat"}, 2, "--public-url (PUBLIC_URL) must have nothing but"},
		"no key":              {[]string{"--tls-cert-file", secret}, 2, "need each other"},
		"no certificate":      {[]string{"--tls-key-file", secret}, 2, "need each other"},
		"no such certificate": {[]string{"--tls-cert-file", secret + "x", "--tls-key-file", secret}, 1, "--tls-cert-file (TLS_CERT_FILE) cannot be read"},
		"no PEM":              {[]string{"--tls-cert-file", secret, "--tls-key-file", secret}, 1, "are not a certificate and its key"},
		"two kinds of HTTP/2": {[]string{"--tls-cert-file", secret, "--tls-key-file", secret, "--h2c"}, 2, "--h2c (H2C) is for a server without TLS"},
		"any origin":          {[]string{"--cors-origins", "https://example.org,*"}, 2, `--cors-origins (CORS_ORIGINS): "*" must be http:// or https://`},
		"an origin's path":    {[]string{"--cors-origins", "https://example.org/"}, 2, "must have nothing but a scheme, a host and a port"},
		"a capital origin":    {[]string{"--cors-origins", "https://Example.org"}, 2, "must be in lower case"},
		"spaced origins":      {[]string{"--cors-origins", "https://a.example, https://b.example"}, 2, `" https://b.example" must be http:// or https://`},
		"shutdown":            {[]string{"--shutdown-timeout=-1s"}, 2, "must not be negative"},
		"too few messages":    {[]string{"demo", "--messages", "299"}, 2, "--messages must be from 300 to 100000"},
		"a vague end":         {[]string{"demo", "--until", "tomorrow"}, 2, "--until: must be a time such as 2026-11-24T18:00:00Z"},
		"an end in 2999":      {[]string{"demo", "--until", "2999-01-01T00:00:00Z"}, 2, "--until must be"},
		"nobody listens":      {[]string{"health", "--listen-address", "127.0.0.1:1"}, 1, "connection refused"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			args := test.args
			if test.code == 1 && strings.HasPrefix(args[0], "--") { // it gets as far as trying to listen
				args = append(args, "--listen-address=127.0.0.1:0")
			}
			code, out, errs := runHere(t, args...)
			if strings.Contains(errs, "s3cret") {
				t.Errorf("it prints the password: %s", errs)
			}
			if code != test.code || !strings.Contains(errs, test.says) || strings.Count(errs, "\n") != 1 || out != "" {
				t.Errorf("exit %d, want %d and one line with %q\nstdout: %s\nstderr: %s", code, test.code, test.says, out, errs)
			}
		})
	}
}

func TestCommands(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	if err := os.WriteFile(path, nil, 0o600); err != nil { // an empty file is an empty SQLite database
		t.Fatal(err)
	}
	database := "sqlite:" + path
	for _, step := range []struct {
		args []string
		says string
	}{
		{[]string{"--help"}, "Usage: message-service"},
		{[]string{"serve", "--help"}, "--listen-address"},
		{[]string{"help"}, "Usage: message-service"},
		{[]string{"help", "serve"}, "(default: 127.0.0.1:8080; $LISTEN_ADDRESS)"},
		{[]string{"help", "migrate", "up"}, "--database-wait"},
		{[]string{"version"}, "\n"},
		{[]string{"--version"}, "\n"},
		{[]string{"migrate", "status", "--database-url", database}, "pending"},
		{[]string{"migrate", "up", "--database-url", database}, "applied 00001_messages.sql"},
		{[]string{"migrate", "up", "--database-url", database}, "up to date"},
		{[]string{"migrate", "status", "--database-url", database}, "Z  00001_messages.sql"},
	} {
		if code, out, errs := runHere(t, step.args...); code != 0 || !strings.Contains(out, step.says) || errs != "" {
			t.Errorf("%v: exit %d, want 0 and %q\nstdout: %s\nstderr: %s", step.args, code, step.says, out, errs)
		}
	}
}

// TestSchemaTooNew applies an unknown migration to a database: every command that uses it must
// refuse it, except that migrate status lists the steps.
func TestSchemaTooNew(t *testing.T) {
	t.Parallel()
	url := dbtest.NewURL(t, db.SQLite)
	err := dbtest.Open(t, url).Tx(t.Context(), time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO schema_requirements VALUES (90001, 90001)")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	export := filepath.Join(t.TempDir(), "export")
	if err := os.WriteFile(export, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"serve", "--listen-address", "127.0.0.1:0"}, {"migrate", "up"}, {"export"}, {"import", export}} {
		code, out, errs := runHere(t, append(args, "--database-url", url)...)
		if code != 1 || out != "" || !strings.Contains(errs, "too new for this version") || strings.Count(errs, "\n") != 1 {
			t.Errorf("%v: exit %d, want 1 and one line\nstdout: %s\nstderr: %s", args, code, out, errs)
		}
	}
	if code, out, errs := runHere(t, "migrate", "status", "--database-url", url); code != 0 || !strings.Contains(out, "00001_messages.sql") {
		t.Errorf("status: exit %d\nstdout: %s\nstderr: %s", code, out, errs)
	}
}

// TestServeInProcess serves until its context ends, and answers the health command.
func TestServeInProcess(t *testing.T) {
	t.Parallel()
	address := freeAddress(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int, 1)
	var stdout, stderr bytes.Buffer
	go func() {
		ended <- run(ctx, []string{"--listen-address", address, "--database-url", dbtest.NewURL(t, db.SQLite)}, streams{&stdout, &stderr})
	}()
	for healthy := false; !healthy; {
		code, out, _ := runHere(t, "health", "--listen-address", address)
		healthy = code == 0 && out == "UP\n"
		select {
		case code := <-ended:
			t.Fatalf("exit %d: %s", code, stderr.String())
		default:
		}
	}
	cancel()
	if code := <-ended; code != 0 || !strings.Contains(stdout.String(), address+"/console/") || !strings.Contains(stdout.String(), address+"/docs/") || !strings.Contains(stderr.String(), "stopped") {
		t.Errorf("exit %d\nstdout: %s\nstderr: %s", code, stdout.String(), stderr.String())
	}
}
