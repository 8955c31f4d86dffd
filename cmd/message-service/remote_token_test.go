package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// TestToken sends and follows with credentials, and checks the errors for those that a server refuses.
func TestToken(t *testing.T) {
	t.Parallel()
	const key, secrets = "0123456789abcdefghijklmnopqrstuvwxyz", "k=0123456789abcdefghijklmnopqrstuvwxyz"
	address := freeAddress(t)
	t.Cleanup(serveAt(t, address, dbtest.NewURL(t, db.SQLite), "--service-key", key, "--token-secrets", secrets, "--token-audience", "test"))
	code, token, errs := runHere(t, "token", "bob", "--token-secrets", secrets, "--token-audience", "test")
	if code != 0 {
		t.Fatal(errs)
	}
	token = strings.TrimSpace(token)
	file := writeToken(t, token)
	send := func(from string, args ...string) []string {
		return append([]string{"send", "--server=http://" + address, "--from", from, "--to=alice", "hi"}, args...)
	}
	tail := func(user string, args ...string) []string {
		return append([]string{"tail", "--server=http://" + address, user}, args...)
	}
	const advice = "; give a token by --token-file (TOKEN_FILE) or --token (TOKEN): message-service token USER prints one of a user, " +
		"message-service key create NAME --scope messages:read,messages:write one for all users"
	for name, test := range map[string]struct {
		args []string
		code int
		says string
	}{
		"a key":                   {send("carol", "--token", key), 0, ""},
		"a token in a file":       {send("bob", "--token-file", file), 0, ""},
		"none":                    {send("bob"), 1, advice},
		"none, following":         {tail("bob"), 1, advice},
		"an invalid one":          {send("bob", "--token=invalid"), 1, "401 Credential Invalid"},
		"what is no token":        {send("bob", "--token=two words"), 1, "a token consists of"},
		"of somebody else":        {send("carol", "--token", token), 1, "403 Forbidden"},
		"of somebody, following":  {tail("carol", "--token", token), 1, "403 Forbidden"},
		"a file that is not here": {tail("bob", "--token-file", file+"x"), 1, "the file of --token-file (TOKEN_FILE) cannot be read"},
		"the token for a file":    {send("bob", "--token-file", token), 1, "the file of --token-file (TOKEN_FILE) cannot be read"},
		"two":                     {send("bob", "--token", token, "--token-file", file), 2, "--token (TOKEN) and --token-file (TOKEN_FILE) exclude each other"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, out, errs := runHere(t, test.args...)
			if code != test.code || (code == 0) != (errs == "") || code != 0 && strings.Count(errs, "\n") != 1 || !strings.Contains(errs, test.says) {
				t.Errorf("exit %d, want %d and one line with %q\nstdout: %s\nstderr: %s", code, test.code, test.says, out, errs)
			}
			if strings.Contains(errs, token) || strings.Contains(errs, "two words") {
				t.Errorf("it shows the token: %s", errs)
			}
		})
	}
}

// TestTokenFileAgain reads the file again when its token has expired.
func TestTokenFileAgain(t *testing.T) {
	t.Parallel()
	file := writeToken(t, "t1")
	var seen []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, r.Header.Get("Authorization"))
		if len(seen) == 2 {
			w.WriteHeader(http.StatusCreated)
			_, _ = w.Write([]byte("{}")) // the client reads it all
			return
		}
		if err := os.WriteFile(file, []byte("t2\n"), 0o600); err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(`{"type":"urn:problem-type:message-service:credential-expired","title":"Credential Expired","status":401,"detail":"","instance":""}`))
	}))
	t.Cleanup(server.Close)
	args := []string{"send", "--server", server.URL, "--from=alice", "--to=bob", "hi", "--token-file", file}
	code, _, errs := runHere(t, args...)
	if code != 0 || strings.Join(seen, " ") != "Bearer t1 Bearer t2" {
		t.Errorf("exit %d after %q\nstderr: %s", code, seen, errs)
	}
	if code, _, errs := runHere(t, append(args, "--from=carol")...); code != 1 || !strings.Contains(errs, "; message-service token USER prints a new one") || len(seen) != 4 {
		t.Errorf("exit %d after %q\nstderr: %s", code, seen, errs)
	}
}

func writeToken(t *testing.T, token string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
