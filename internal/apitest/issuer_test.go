//go:build tools

package apitest_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"testing"
	"time"

	"github.com/message-service/message-service/internal/apitest"
	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// openIDProvider is oidc-provider from npm, in a process of its own.
type openIDProvider struct {
	url   string
	input io.WriteCloser
	lines *bufio.Scanner
	cmd   *exec.Cmd
}

// issuerUser is a user id as a provider gives it.
const issuerUser = "auth0|alice"

// startIssuer starts the provider on a port of this machine, with keys whose ids have a prefix.
func startIssuer(t *testing.T, port, prefix string) *openIDProvider {
	t.Helper()
	tools, path := findTools(t)
	p := &openIDProvider{cmd: exec.Command("env", "node", "testdata/issuer.mjs", port, issuerUser)} // env looks on that PATH
	p.cmd.Env = append(p.cmd.Environ(), "TOOLS="+tools, "PATH="+path)
	output, err1 := p.cmd.StdoutPipe()
	input, err2 := p.cmd.StdinPipe()
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.stop() })
	p.input, p.lines = input, bufio.NewScanner(output)
	if p.lines.Scan() {
		p.url = p.lines.Text()
	}
	p.rotate(t, prefix)
	return p
}

// rotate replaces all keys.
func (p *openIDProvider) rotate(t *testing.T, prefix string) {
	t.Helper()
	if _, err := fmt.Fprintln(p.input, prefix); err != nil {
		t.Fatal(err)
	}
	for p.lines.Scan() {
		if p.lines.Text() == prefix {
			return
		}
	}
	t.Fatal("the provider has ended")
}

func (p *openIDProvider) stop() {
	_ = p.input.Close() // it may have ended
	_ = p.cmd.Wait()
}

// token lets the provider make a token.
func (p *openIDProvider) token(t *testing.T, algorithm string) string {
	t.Helper()
	response, err := http.PostForm(p.url+"/token", url.Values{
		"grant_type": {"client_credentials"}, "client_id": {issuerUser}, "client_secret": {"secret"},
		"resource": {"https://chat.example.org/" + algorithm},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	var answer struct {
		Token string `json:"access_token"`
		Error string `json:"error_description"`
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil || answer.Token == "" {
		t.Fatalf("the provider made no token: %s %v", answer.Error, err)
	}
	return answer.Token
}

// TestIssuer runs the server with an OpenID provider that is not up at first, changes all keys at once, stops
// and comes back with other keys.
func TestIssuer(t *testing.T) {
	t.Parallel()
	port := freePort(t)
	provider := startIssuer(t, port, "first")
	token := provider.token(t, "RS256")
	provider.stop()

	server := apitest.StartProcess(t, "../../bin/message-service", dbtest.NewURL(t, db.SQLite), "OIDC_ISSUER="+provider.url, "OIDC_AUDIENCE=chat-api")
	want := func(code int, token, user string) {
		t.Helper()
		if got := listConversations(t, server, token, user); got != code {
			t.Errorf("got %d, want %d", got, code)
		}
	}
	// The server fetches keys again within ten seconds. Until then it may say that it does not know.
	becomes := func(token string) {
		t.Helper()
		deadline := time.Now().Add(time.Minute)
		for code := listConversations(t, server, token, issuerUser); code != http.StatusOK; code = listConversations(t, server, token, issuerUser) {
			if code != http.StatusServiceUnavailable || time.Now().After(deadline) {
				t.Fatalf("got %d", code)
			}
			<-time.After(50 * time.Millisecond)
		}
	}

	want(http.StatusServiceUnavailable, token, issuerUser)
	provider = startIssuer(t, port, "second")
	for _, rotation := range []string{"third"} {
		becomes(provider.token(t, "RS256"))
		for _, algorithm := range []string{"RS256", "ES256", "EdDSA"} {
			token = provider.token(t, algorithm)
			want(http.StatusOK, token, issuerUser)
			want(http.StatusForbidden, token, "bob")
		}
		soon, later := provider.token(t, "ES256"), provider.token(t, "ES256")
		provider.rotate(t, rotation)
		want(http.StatusOK, soon, issuerUser) // its key is known here until the next fetch
		becomes(provider.token(t, "EdDSA"))
		want(http.StatusUnauthorized, later, issuerUser)
	}

	token = provider.token(t, "ES256")
	provider.stop()
	want(http.StatusOK, token, issuerUser)
	provider = startIssuer(t, port, "fifth")
	becomes(provider.token(t, "ES256"))
}
