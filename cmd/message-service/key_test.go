package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
	"github.com/message-service/message-service/internal/identity"
)

var (
	keyLine = regexp.MustCompile(`^(msk_([0-9A-Za-z]{12})_[0-9A-Za-z]{32}_[0-9A-Za-z]{6})\n$`)
	allLine = regexp.MustCompile(`^[0-9A-Za-z]{12}  all +all +\d`) // of a key with that name and all scopes
)

// makeKey runs key create, and returns the key and its id.
func makeKey(t *testing.T, url string, args ...string) (key, id string) {
	t.Helper()
	code, out, errs := runHere(t, append([]string{"key", "create", "--database-url", url}, args...)...)
	found := keyLine.FindStringSubmatch(out)
	if code != 0 || found == nil {
		t.Fatalf("%q: exit %d\nstdout: %s\nstderr: %s", args, code, out, errs)
	}
	if strings.Contains(errs, found[1]) || !strings.Contains(errs, "shown only now") || !strings.Contains(errs, "  curl ") || !strings.Contains(errs, found[2]) {
		t.Errorf("beside the key it says: %s", errs)
	}
	return found[1], found[2]
}

// TestKeyCommands makes the first key in an empty database, and uses all commands beside a running server: it accepts a key
// at once, refuses what the key is not for, and refuses the key within 2 seconds once it is revoked.
func TestKeyCommands(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		url := dbtest.NewURL(t, engine)
		today := func() string { return time.Now().UTC().Format(time.DateOnly) }
		first := today()
		key, id := makeKey(t, url, "the shop's backend", "--scope", "messages:read,admin")
		last := today() // another day at midnight
		server := apitest.StartProcess(t, os.Args[0], url, "RUN_MESSAGE_SERVICE=1", "AUTH=required")
		reader, _ := makeKey(t, url, "reader", "--scope", "messages:read", "--scope", "users:export", "--expires", time.Now().Add(time.Hour).Format(time.RFC3339))
		all, _ := makeKey(t, url, "all", "--scope", "all")
		ask := func(method, path, key string) int {
			return server.Do(t, method, path, nil, "Authorization: Bearer "+key).Status
		}
		for _, key := range []string{key, reader, all} {
			if status := ask(http.MethodGet, "/v1/messages?recipient=bob", key); status != http.StatusOK {
				t.Errorf("a new key: %d", status)
			}
		}
		if status := ask(http.MethodGet, "/v1/users/bob/export", key); status != http.StatusForbidden {
			t.Errorf("an export by a key that is not for that: %d", status)
		}

		code, out, errs := runHere(t, "key", "list", "--database-url", url)
		lines := strings.Split(strings.TrimSpace(out), "\n")
		if code != 0 || errs != "" || len(lines) != 4 || !strings.Contains(lines[1], id+"  the shop's backend  messages:read,admin ") ||
			!strings.Contains(lines[1], "  "+first+"  never") && !strings.Contains(lines[1], "  "+last+"  never") ||
			!strings.Contains(lines[2], "reader") || !strings.Contains(lines[2], "Z  ") || !allLine.MatchString(lines[3]) || strings.Contains(out, "msk_") {
			t.Errorf("exit %d\nstdout: %s\nstderr: %s", code, out, errs)
		}

		if code, out, errs := runHere(t, "key", "revoke", id, "--database-url", url); code != 0 || !strings.Contains(out, "is revoked") || errs != "" {
			t.Errorf("exit %d\nstdout: %s\nstderr: %s", code, out, errs)
		}
		revoked := time.Now()
		for asked := revoked; ask(http.MethodGet, "/v1/messages?recipient=bob", key) != http.StatusUnauthorized; asked = time.Now() {
			if asked.Sub(revoked) > 2*time.Second {
				t.Fatal("the key is good for more than 2 seconds after it was revoked")
			}
		}
		if code, out, errs := runHere(t, "key", "revoke", id, "--database-url", url); code != 1 || out != "" || !strings.Contains(errs, "no such service key, or it was revoked before") {
			t.Errorf("again: exit %d\nstdout: %s\nstderr: %s", code, out, errs)
		}
		if err := server.Stop(t); err != nil || server.Log.Len() > 0 {
			t.Errorf("%v; it logged %s", err, server.Log)
		}
	})
}

// TestKeyCommandsRefuse checks that nothing is made of wrong arguments, nor a database where one is to be read.
func TestKeyCommandsRefuse(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "none.db")
	for _, test := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"create", "shop"}, 2, "missing flags: --scope=SCOPE,...; see message-service key create --help"},
		{[]string{"create", "--scope=all"}, 2, "missing argument <name>; see message-service key create --help"},
		{[]string{"create", "shop", "--scope=messages"}, 2, "--scope: must be messages:read, messages:write, "},
		{[]string{"create", "shop", "--scope=all", "--expires=tomorrow"}, 2, "--expires: must be a time such as"},
		{[]string{"list"}, 1, "there is no SQLite file"},
		{[]string{"revoke", "x"}, 1, "there is no SQLite file"},
		{[]string{"revoke"}, 2, "missing argument <id>"},
	} {
		code, out, errs := runHere(t, append(append([]string{"key"}, test.args...), "--database-url", "sqlite:"+path)...)
		if code != test.code || out != "" || !strings.Contains(errs, test.says) || strings.Count(errs, "\n") != 1 {
			t.Errorf("%q: exit %d\nstdout: %s\nstderr: %s", test.args, code, out, errs)
		}
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a database was made")
	}
	for _, test := range []struct{ args, says string }{
		{"--scope=all --expires=2020-01-01T00:00:00Z shop", "message-service: --expires must not have passed\n"},
		{"--scope=admin,admin shop", "message-service: --scope must be different scopes"},
		{"--scope=admin a\tb", "message-service: the name must have 1 to 100 characters"},
	} {
		args := append([]string{"key", "create", "--database-url", "sqlite:" + path}, strings.Split(test.args, " ")...)
		if code, out, errs := runHere(t, args...); code != 1 || out != "" || !strings.HasPrefix(errs, test.says) || strings.Count(errs, "\n") != 1 {
			t.Errorf("%s: exit %d\nstdout: %s\nstderr: %s", test.args, code, out, errs)
		}
	}
	if code, out, errs := runHere(t, "key", "list", "--database-url", "sqlite:"+path); code != 0 || out != "There are no service keys.\n" || errs != "" {
		t.Errorf("exit %d\nstdout: %s\nstderr: %s", code, out, errs)
	}
}

// TestTokenCommand makes a token, without a database, that a server with the same secret accepts.
func TestTokenCommand(t *testing.T) {
	t.Parallel()
	secret := strings.Repeat("s3cret-", 5)
	file := filepath.Join(t.TempDir(), "secrets")
	if err := os.WriteFile(file, []byte("new="+secret+"\nold="+strings.Repeat("o", 32)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out, errs := runHere(t, "token", "bob", "--ttl", "2h", "--token-secrets-file", file, "--token-audience", "chat")
	if code != 0 || errs != "" || strings.Count(out, "\n") != 1 || strings.Count(out, ".") != 2 {
		t.Fatalf("exit %d\nstdout: %s\nstderr: %s", code, out, errs)
	}
	secrets, err := identity.ParseSecrets("new=" + secret)
	if err != nil {
		t.Fatal(err)
	}
	service, err := identity.New(t.Context(), dbtest.Open(t, dbtest.NewURL(t, db.SQLite)), identity.Options{Secrets: secrets, Audience: "chat"})
	if err != nil {
		t.Fatal(err)
	}
	p, err := service.Authenticate(t.Context(), strings.TrimSuffix(out, "\n"))
	if err != nil || p.User != "bob" || time.Until(p.Expires).Round(time.Minute) != 2*time.Hour {
		t.Errorf("it stands for %+v: %v", p, err)
	}

	given := []string{"--token-secrets=new=" + secret, "--token-audience=chat"}
	for says, args := range map[string][]string{
		"pass the --token-secrets or --token-secrets-file": {"bob"},
		"the user must be a user id":                       append(given, ".bob"),
		"--ttl must be":                                    append(given, "bob", "--ttl=25h"),
		"--ttl: must be a duration such as":                append(given, "bob", "--ttl=1"),
		"missing argument <user>":                          given,
		"need --token-audience":                            {"bob", given[0]},
		"less than 32 bytes":                               {"bob", "--token-secrets=new=s3cret", given[1]},
	} {
		if code, out, errs := runHere(t, append([]string{"token"}, args...)...); code == 0 || out != "" || !strings.Contains(errs, says) || strings.Contains(errs, "s3cret") || strings.Count(errs, "\n") != 1 {
			t.Errorf("%s: exit %d\nstdout: %s\nstderr: %s", fmt.Sprint(args), code, out, errs)
		}
	}
}
