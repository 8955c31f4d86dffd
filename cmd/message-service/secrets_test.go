package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"github.com/message-service/message-service/gen/client"
	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// secretsTest is a run of TestNoSecrets.
type secretsTest struct {
	*apitest.Process

	t       *testing.T
	url     string
	profile string            // the address of the profiles
	secrets map[string]string // by what they are
	seen    map[string][]byte // what others can read, by where it is
}

// TestNoSecrets uses credentials of every kind, well and badly, with a server that logs all there is to log.
// Neither the files of the database, nor what Postgres logs when it logs all statements with their parameters,
// nor what the server and the commands answer, print and log has any part of a secret, but for the answer that
// makes it.
func TestNoSecrets(t *testing.T) {
	dbtest.Engines(t, func(t *testing.T, engine db.Engine) {
		s := &secretsTest{t: t, seen: map[string][]byte{}}
		directory := t.TempDir()
		s.url = "sqlite:" + filepath.Join(directory, "test.db")
		if engine == db.Postgres {
			cluster := dbtest.NewCluster(t, "log_statement=all", "log_parameter_max_length_on_error=-1")
			s.url, directory = cluster.URL, cluster.Directory
		}
		s.start()
		s.useCommands()
		s.useCredentials()
		s.misuseCredentials()
		s.readOthers()
		s.readFiles(directory) // with the write-ahead log, which is gone once the server has stopped
		if err := s.Stop(t); err != nil {
			t.Error(err)
		}
		s.seen["the log of the server"] = s.Log.Bytes()
		s.search()
	})
}

// start starts the server, with all the secrets that it can be given.
func (s *secretsTest) start() {
	s.profile = freeAddress(s.t)
	s.secrets = map[string]string{}
	for _, name := range []string{"SERVICE_KEY", "the first of TOKEN_SECRETS", "the second of TOKEN_SECRETS"} {
		s.secrets[name] = strings.ReplaceAll(uuid.NewString()+uuid.NewString(), "-", "")
	}
	issuer := apitest.NewIssuer(s.t)
	key := issuer.Publish(s.t, "first")
	s.secrets["a token of the issuer"] = issuer.Token(s.t, "first", key, "bob")
	s.Process = apitest.StartProcess(s.t, os.Args[0], s.url, "RUN_MESSAGE_SERVICE=1", "AUTH=required", "LOG_LEVEL=debug", "DEBUG_ADDRESS="+s.profile,
		"SERVICE_KEY="+s.secrets["SERVICE_KEY"], "TOKEN_SECRETS="+s.tokenSecrets(), "TOKEN_AUDIENCE="+apitest.TokenAudience,
		"OIDC_ISSUER="+issuer.URL, "OIDC_AUDIENCE="+apitest.TokenAudience)
}

func (s *secretsTest) tokenSecrets() string {
	return "1=" + s.secrets["the first of TOKEN_SECRETS"] + ",2=" + s.secrets["the second of TOKEN_SECRETS"]
}

// command runs a command. Its standard output is returned, and counts as seen unless it makes a secret.
func (s *secretsTest) command(makes bool, args ...string) string {
	s.t.Helper()
	_, out, errs := runHere(s.t, args...)
	name := "message-service " + strings.Join(args[:2], " ")
	if s.seen[name+" (standard error)"] = []byte(errs); !makes {
		s.seen[name] = []byte(out)
	}
	return strings.TrimSpace(out)
}

func (s *secretsTest) useCommands() {
	const database = "--database-url"
	s.secrets["a key by the command"] = s.command(true, "key", "create", database, s.url, "by the command", "--scope", "all")
	id := strings.Split(s.command(true, "key", "create", "revoked", database, s.url, "--scope", "admin"), "_")[1]
	s.secrets["a token by the command"] = s.command(true, "token", "bob", "--token-secrets", s.tokenSecrets(), "--token-audience", apitest.TokenAudience)
	s.command(false, "token", "no user", "--token-secrets", s.tokenSecrets(), "--token-audience", apitest.TokenAudience)
	s.command(false, "token", "--token-secrets", s.tokenSecrets()[:30], "--token-audience", "x", "bob")
	s.command(false, "serve", "--service-key", s.secrets["SERVICE_KEY"]+"é", database, s.url)
	s.command(false, "key", "list", database, s.url)
	s.command(false, "key", "revoke", database, s.url, id)
	s.command(false, "export", database, s.url)
}

// useCredentials makes credentials and uses them for everything that the API has.
func (s *secretsTest) useCredentials() {
	t, admin := s.t, s.With(s.secrets["SERVICE_KEY"])
	key := admin.NewKey(t, "by the API", client.MessagesRead, client.MessagesWrite, client.Admin)
	s.secrets["a key"] = key.Secret
	s.secrets["a revoked key"] = admin.NewKey(t, "to be revoked", client.Admin).Secret
	created := apitest.Call(admin.CreateTokenWithResponse(t.Context(), client.CreateTokenRequest{UserID: "bob"})).Must(t, http.StatusCreated).JSON201
	s.secrets["a token"] = created.Token
	for _, by := range []string{"a key", "a token", "a token of the issuer"} {
		ticket := apitest.Call(s.With(s.secrets[by]).CreateStreamTicketWithResponse(t.Context(), "bob")).Must(t, http.StatusCreated).JSON201
		s.secrets["a ticket by "+by] = ticket.Ticket
	}
	for name, secret := range s.secrets {
		if strings.Contains(name, "ticket") {
			s.ask(name, http.MethodGet, "/v1/users/bob/changes?ticket="+secret)
			continue
		}
		s.ask(name, http.MethodPost, "/v1/messages", "Authorization: Bearer "+secret)
		s.ask(name, http.MethodGet, "/v1/messages?recipient=bob", "Authorization: Bearer "+secret)
		s.ask(name, http.MethodGet, "/v1/status", "Authorization: Bearer "+secret)
		s.ask(name, http.MethodGet, "/v1/users/bob/export", "Authorization: Bearer "+secret)
		s.ask(name, http.MethodGet, "/v1/users/eve/changes", "Authorization: Bearer "+secret)
	}
	revocation := client.SetTokenRevocationRequest{IssuedBefore: time.Now().Add(time.Second)}
	apitest.Call(admin.SetTokenRevocationWithResponse(t.Context(), "bob", revocation)).Must(t, http.StatusOK)
	apitest.Call(admin.RevokeKeyWithResponse(t.Context(), strings.Split(s.secrets["a revoked key"], "_")[1])).Must(t, http.StatusNoContent)
}

// misuseCredentials puts secrets where they do not belong, while a table is missing.
func (s *secretsTest) misuseCredentials() {
	s.execute("ALTER TABLE stream_tickets RENAME TO other_tickets")
	defer s.execute("ALTER TABLE other_tickets RENAME TO stream_tickets")
	for name, secret := range s.secrets {
		bearer := "Authorization: Bearer " + secret
		s.ask(name, http.MethodGet, "/v1/keys", bearer) // tokens and keys are revoked by now
		s.ask(name, http.MethodGet, "/v1/keys", bearer+"x")
		s.ask(name, http.MethodGet, "/v1/keys", "Authorization: Basic "+secret)
		s.ask(name, http.MethodGet, "/v1/keys", bearer, bearer)
		s.ask(name, http.MethodGet, "/v1/keys", bearer, "Accept: text/html")
		s.ask(name, http.MethodGet, "/v1/messages?recipient=bob&access_token="+url.QueryEscape(secret), bearer)
		s.ask(name, http.MethodGet, "/v1/users/bob/changes?ticket="+url.QueryEscape(secret))
		s.ask(name, http.MethodPost, "/v1/users/bob/stream-tickets", bearer)
		s.ask(name, http.MethodGet, "/nowhere", bearer, "Cookie: token="+secret)
		s.ask(name, http.MethodTrace, "/v1/keys", bearer)
		s.malformed(name, secret)
	}
}

func (s *secretsTest) execute(statement string) {
	s.t.Helper()
	err := dbtest.Connect(s.t, s.url, db.Options{}).Tx(s.t.Context(), time.Minute, func(ctx context.Context, tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, statement)
		return err
	})
	if err != nil {
		s.t.Fatalf("%s: %v", statement, err)
	}
}

// ask makes a request, without a body.
func (s *secretsTest) ask(name, method, path string, header ...string) {
	s.t.Helper()
	answer := s.Do(s.t, method, path, nil, header...)
	place := fmt.Sprintf("the answer to %s %s with %s", method, strings.Split(path, "?")[0], name)
	s.seen[place] = append(s.seen[place], fmt.Sprint(answer)...)
}

// malformed sends a request that is no HTTP.
func (s *secretsTest) malformed(name, secret string) {
	s.t.Helper()
	connection, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
	if err != nil {
		s.t.Fatal(err)
	}
	defer connection.Close() //nolint:errcheck // its end is of no interest
	answer := make([]byte, 1000)
	_, err = fmt.Fprintf(connection, "GET /v1/keys HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n%s\x01: %[1]s\r\n\r\n", secret, name)
	if err == nil {
		_, err = connection.Read(answer)
	}
	if err != nil {
		s.t.Errorf("a malformed request: %v", err)
	}
	s.seen["the answer to a malformed request with "+name] = answer
}

// readOthers reads what else shows the state of the server.
func (s *secretsTest) readOthers() {
	for _, path := range []string{"/v1/keys", "/v1/status", "/v1/users/bob/export", "/v1/limits"} {
		s.ask("the key of the operator", http.MethodGet, path, "Authorization: Bearer "+s.secrets["SERVICE_KEY"])
	}
	for _, profile := range []string{"cmdline", "goroutine?debug=2", "heap?debug=1", "allocs"} {
		answer, err := http.Get("http://" + s.profile + "/debug/pprof/" + profile)
		if err != nil {
			s.t.Fatal(err)
		}
		var text bytes.Buffer
		if _, err := text.ReadFrom(answer.Body); err != nil || answer.Body.Close() != nil {
			s.t.Fatal(err)
		}
		s.seen["the profile "+profile] = text.Bytes()
	}
}

// readFiles reads the files of the database, its log among them.
func (s *secretsTest) readFiles(directory string) {
	err := filepath.WalkDir(directory, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return nil // Postgres removes files meanwhile
		}
		content, err := os.ReadFile(path)
		if err == nil {
			s.seen[path] = content
		}
		return nil
	})
	if err != nil {
		s.t.Error(err)
	}
}

// search looks for every secret, its parts and their encodings in everything that was seen.
func (s *secretsTest) search() {
	bytesSeen := 0
	for place, content := range s.seen {
		bytesSeen += len(content)
		for name, secret := range s.secrets {
			for _, part := range partsOf(secret) {
				if bytes.Contains(content, []byte(part)) {
					s.t.Errorf("%s has %q, of %s", place, part, name)
				}
			}
		}
	}
	s.t.Logf("%d secrets are in none of %d places with %d kB", len(s.secrets), len(s.seen), bytesSeen/1000)
	if !bytes.Contains(s.seen["the log of the server"], []byte("msg=request")) {
		s.t.Errorf("the log has no requests: %.1000s", s.seen["the log of the server"])
	}
}

// partsOf returns a secret, those of its parts that are worth guessing the rest, and both encoded.
func partsOf(secret string) (parts []string) {
	for _, part := range append(strings.FieldsFunc(secret, func(r rune) bool { return strings.ContainsRune("_.", r) }), secret) {
		if len(part) < 32 {
			continue // an id or a checksum
		}
		parts = append(parts, part[:16], part[len(part)-16:],
			hex.EncodeToString([]byte(part)), base64.RawStdEncoding.EncodeToString([]byte(part)), base64.RawURLEncoding.EncodeToString([]byte(part)))
	}
	return parts
}
