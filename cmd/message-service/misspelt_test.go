package main

import (
	"context"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/alecthomas/kong"
)

// TestMisspelt checks which variables are taken for misspelt ones, and that those usual in a
// terminal, a container and under a supervisor are not.
func TestMisspelt(t *testing.T) {
	t.Parallel()
	parser := testParser(t)
	serve := slices.IndexFunc(parser.Model.Children, func(c *kong.Command) bool { return c.Name == "serve" })
	reads, ours := variables(parser.Model.Children[serve]), variables(parser.Model.Node)
	for variable, meant := range map[string]string{
		"LISTEN_ADDRESSS": "LISTEN_ADDRESS", "listen_address": "LISTEN_ADDRESS", "LISTEN_ADDR": "LISTEN_ADDRESS", "PORT": "LISTEN_ADDRESS",
		"DATABSE_URL": "DATABASE_URL", "DATABASE_URI": "DATABASE_URL", "DB_URL": "DATABASE_URL", "DATABASE_FILE_URL": "",
		"LOGLEVEL": "LOG_LEVEL", "LOG_LVEEL": "LOG_LEVEL", "SHUTDOWN_TIMEOUTS": "SHUTDOWN_TIMEOUT", "SERACH": "SEARCH",
	} {
		want := []string{"the environment variable " + variable + " is not read, did you mean " + meant + "?"}
		if meant == "" {
			want = nil
		}
		if says := misspelt([]string{"HOME=/", variable + "=x"}, reads, ours); !slices.Equal(says, want) {
			t.Errorf("%s: %q, want %q", variable, says, want)
		}
	}
	usual := "PATH HOME HOST HOSTNAME USER LOGNAME SHELL LANG LC_ALL TERM TZ PWD OLDPWD SHLVL EDITOR PAGER DISPLAY MAIL TMPDIR HTTP_PROXY NO_PROXY " +
		"SSL_CERT_FILE SSL_CERT_DIR GOMAXPROCS GOMEMLIMIT PGHOST PGPASSWORD PGSSLROOTCERT NOTIFY_SOCKET LISTEN_FDS LISTEN_PID WATCHDOG_USEC " +
		"INVOCATION_ID JOURNAL_STREAM CREDENTIALS_DIRECTORY KUBERNETES_SERVICE_HOST KUBERNETES_PORT MESSAGE_SERVICE_PORT POSTGRES_PORT " +
		"POSTGRES_PASSWORD SERVICE_URL RUST_LOG DEBUG NODE_ENV CI SERVER_URL"
	if says := misspelt(strings.Fields(usual), reads, ours); len(says) > 0 {
		t.Errorf("the usual ones: %q", says)
	}
	if says := misspelt([]string{"PORT=80", "LISTEN_ADDRESS=127.0.0.1:80"}, reads, ours); len(says) > 0 {
		t.Errorf("beside the right one: %q", says)
	}
}

func testParser(t *testing.T) *kong.Kong {
	t.Helper()
	parser, err := newParser(context.Background(), streams{io.Discard, io.Discard}, func(int) { t.Error("the parser wants to exit") })
	if err != nil {
		t.Fatal(err)
	}
	return parser
}

// TestMisspeltIsWarnedOf runs commands with a misspelt variable: one with log options, and one without.
func TestMisspeltIsWarnedOf(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		args           []string
		variable, says string
	}{
		{[]string{"migrate", "up", "--log-format=json", "--database-url", "sqlite:" + t.TempDir() + "/x.db"}, "DATABSE_URL=x", `"level":"WARN","msg":"the environment variable DATABSE_URL is not read, did you mean DATABASE_URL?"`},
		{[]string{"export", "--database-url", "sqlite:none.db"}, "DATABSE_URL=x", "message-service: the environment variable DATABSE_URL is not read, did you mean DATABASE_URL?\n"},
		{[]string{"version"}, "DATABSE_URL=x", ""},
	} {
		var errs strings.Builder
		command := programWith(t, test.args...)
		command.Env, command.Stderr = append(command.Env, test.variable), &errs
		_ = command.Run() // only the warning matters
		if !strings.Contains(errs.String(), test.says) || test.says == "" && errs.Len() > 0 {
			t.Errorf("%v says %q, want %q", test.args, errs.String(), test.says)
		}
	}
}

func TestNearest(t *testing.T) {
	t.Parallel()
	names := []string{"serve", "send", "tail", "migrate", "export", "import", "demo", "health", "help", "version"}
	for word, want := range map[string]string{
		"srve": "serve", "sever": "serve", "server": "serve", "sned": "send", "tial": "tail", "mig": "migrate", "exprt": "export",
		"halth": "health", "hepl": "help", "x": "", "start": "", "postgres": "", "run": "",
	} {
		if got := nearest(word, names); got != want {
			t.Errorf("%s: %q, want %q", word, got, want)
		}
	}
}
