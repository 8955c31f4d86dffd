package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/message-service/message-service/internal/db"
	"github.com/message-service/message-service/internal/dbtest"
)

// TestAuthenticates parses the options that say whether requests need a credential, in every combination
// that has a rule: the error, or whether they do.
func TestAuthenticates(t *testing.T) {
	t.Parallel()
	const local, public = "--listen-address=127.0.0.1:0", "--listen-address=0.0.0.0:0"
	key := "--service-key=" + strings.Repeat("k", 32)
	secrets, audience := "--token-secrets=a="+strings.Repeat("s", 32), "--token-audience=messages"
	for _, test := range []struct {
		args []string
		want bool
		says string // of the error
	}{
		{[]string{local}, false, ""},
		{[]string{"--listen-address=[::1]:0"}, false, ""},
		{[]string{public}, true, ""},
		{[]string{"--listen-address=:0"}, true, ""},
		{[]string{"--listen-address=example.org:80"}, true, ""},
		{[]string{local, "--auth=required"}, true, ""},
		{[]string{public, "--auth=required"}, true, ""},
		{[]string{local, "--auth=off"}, false, ""},
		{[]string{public, "--auth=off"}, false, "could read and write all messages: leave out --auth off (AUTH), or pass --allow-unauthenticated (ALLOW_UNAUTHENTICATED=true) too"},
		{[]string{public, "--auth=off", "--allow-unauthenticated"}, false, ""},
		{[]string{local, "--auth=off", "--allow-unauthenticated"}, false, ""},
		{[]string{public, "--allow-unauthenticated"}, false, ""},
		{[]string{local, "--allow-unauthenticated"}, false, ""},
		{[]string{local, "--auth=required", "--allow-unauthenticated"}, false, "--allow-unauthenticated (ALLOW_UNAUTHENTICATED) contradicts --auth required (AUTH)"},
		{[]string{public, "--auth=required", "--allow-unauthenticated"}, false, "contradicts --auth required (AUTH)"},
		{[]string{local, "--auth=on"}, false, "--auth: must be required or off"},

		{[]string{local, key}, true, ""},
		{[]string{local, "--service-key-file=x"}, true, ""},
		{[]string{local, secrets, audience}, true, ""},
		{[]string{local, "--token-secrets-file=x", audience}, true, ""},
		{[]string{local, "--oidc-issuer=https://id.example", "--oidc-audience=messages"}, true, ""},
		{[]string{local, "--auth=off", key}, false, "--service-key (SERVICE_KEY) is of no use with --auth off (AUTH)"},
		{[]string{local, "--auth=off", "--service-key-file=x"}, false, "--service-key-file (SERVICE_KEY_FILE) is of no use with --auth off (AUTH)"},
		{[]string{local, "--auth=off", secrets, audience}, false, "--token-secrets (TOKEN_SECRETS) is of no use with --auth off (AUTH)"},
		{[]string{local, "--auth=off", "--token-secrets-file=x", audience}, false, "--token-secrets-file (TOKEN_SECRETS_FILE) is of no use"},
		{[]string{local, "--auth=off", "--oidc-issuer=https://id.example", "--oidc-audience=messages"}, false, "--oidc-issuer (OIDC_ISSUER) is of no use"},
		{[]string{public, "--allow-unauthenticated", key}, false, "--service-key (SERVICE_KEY) is of no use with --allow-unauthenticated (ALLOW_UNAUTHENTICATED)"},

		{[]string{key, "--service-key-file=x"}, false, "--service-key and --service-key-file (SERVICE_KEY and SERVICE_KEY_FILE) exclude each other"},
		{[]string{secrets, "--token-secrets-file=x", audience}, false, "exclude each other"},
		{[]string{secrets}, false, "need --token-audience (TOKEN_AUDIENCE)"},
		{[]string{"--token-secrets-file=x"}, false, "--token-secrets-file (TOKEN_SECRETS, TOKEN_SECRETS_FILE) need --token-audience (TOKEN_AUDIENCE)"},
		{[]string{audience}, false, "needs --token-secrets or --token-secrets-file"},
		{[]string{"--oidc-issuer=https://id.example"}, false, "needs --oidc-audience (OIDC_AUDIENCE)"},
		{[]string{"--oidc-issuer=https://id.example", audience, secrets}, false, "needs --oidc-audience (OIDC_AUDIENCE)"},
		{[]string{"--oidc-audience=messages"}, false, "needs --oidc-issuer (OIDC_ISSUER)"},
	} {
		command, err := parse(testParser(t), append([]string{"serve"}, test.args...))
		if err != nil || test.says != "" {
			if test.says == "" || err == nil || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "kkkk") || strings.Contains(err.Error(), "ssss") {
				t.Errorf("%v: %v, want %q", test.args, err, test.says)
			}
			continue
		}
		c := command.Selected().Target.Addr().Interface().(*serveCommand)
		if got := c.authenticates(c.ListenAddress); got != test.want {
			t.Errorf("%v: authenticates %t", test.args, got)
		}
	}
}

// TestRatesAndProxies parses rate limits and the addresses of proxies.
func TestRatesAndProxies(t *testing.T) {
	t.Parallel()
	command, err := parse(testParser(t), []string{"serve", "--rate-limit-send=5/1s", "--rate-limit-failed=off", "--trusted-proxies=10.1.2.3/8,::1,2001:db8::/32"})
	if err != nil {
		t.Fatal(err)
	}
	c := command.Selected().Target.Addr().Interface().(*serveCommand)
	proxies := make([]string, len(c.TrustedProxies))
	for i, prefix := range c.TrustedProxies {
		proxies[i] = prefix.String()
	}
	limits := c.limits()
	if limits.Send.Requests != 5 || limits.Send.Seconds() != 1 || !limits.Failed.Off() || limits.Read.Requests != 1200 || limits.Keys {
		t.Errorf("limits %+v", limits)
	}
	if want := []string{"10.0.0.0/8", "::1/128", "2001:db8::/32"}; !slices.Equal(proxies, want) {
		t.Errorf("proxies %v, want %v", proxies, want)
	}
	for option, says := range map[string]string{
		"--rate-limit-send=300":                "--rate-limit-send: must be off, or a number of requests and a time such as 300/60s",
		"--rate-limit-search=0/60s":            "--rate-limit-search: must allow from 1 to 1000000 requests",
		"--trusted-proxies=10.0.0.0/8,example": "--trusted-proxies: must be an IP address, or a range of them such as 10.0.0.0/8",
		"--trusted-proxies=*":                  "must be an IP address",
		"--trusted-proxies=fe80::1%eth0":       "must be an IP address",
	} {
		if _, err := parse(testParser(t), []string{"serve", option}); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", option, err, says)
		}
	}
}

// TestNobody starts servers that other machines can reach and that nobody could use, or whose keys and secrets
// are no such: each must end with one line that says what to do, and prints no secret.
func TestNobody(t *testing.T) {
	t.Parallel()
	short := filepath.Join(t.TempDir(), "short")
	if err := os.WriteFile(short, []byte("s3cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		args []string
		says string
	}{
		"elsewhere":         {[]string{"--listen-address=0.0.0.0:0"}, "tokens:create, or give one with --service-key-file (SERVICE_KEY_FILE)"},
		"asked for":         {[]string{"--listen-address=127.0.0.1:0", "--auth=required"}, "message-service key create"},
		"a short key":       {[]string{"--service-key=s3cret"}, "--service-key (SERVICE_KEY): each key must have 32 to 256 characters"},
		"a short key, file": {[]string{"--service-key-file", short}, "each key must have 32 to 256 characters"},
		"no key file":       {[]string{"--service-key-file", short + "x"}, "the file of --service-key-file (SERVICE_KEY_FILE) cannot be read: no such file"},
		"a key as a file":   {[]string{"--service-key-file=s3cret"}, "cannot be read: no such file"},
		"a short secret":    {[]string{"--token-secrets=a=s3cret", "--token-audience=m"}, "less than 32 bytes"},
		"no id":             {[]string{"--token-secrets-file", short, "--token-audience=m"}, "is not kid=secret"},
		"no secret file":    {[]string{"--token-secrets-file", short + "x", "--token-audience=m"}, "--token-secrets-file (TOKEN_SECRETS_FILE) cannot be read"},
		"a plain issuer":    {[]string{"--oidc-issuer=http://id.example", "--oidc-audience=m"}, "OIDC_ISSUER is not an https URL"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			code, out, errs := runHere(t, append([]string{"--listen-address=127.0.0.1:0", "--log-level=warn", "--database-url", dbtest.NewURL(t, db.SQLite)}, test.args...)...)
			if code != 1 || out != "" || strings.Count(errs, "\n") != 1 || !strings.Contains(errs, test.says) || strings.Contains(errs, "s3cret") {
				t.Errorf("exit %d, want 1 and one line with %q\nstdout: %s\nstderr: %s", code, test.says, out, errs)
			}
		})
	}
}
