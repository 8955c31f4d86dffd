package identity

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

func TestParseSecrets(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("s3cret", 6)
	tests := []struct{ name, text, ids, err string }{
		{"none", "", "", ""},
		{"one", "a=" + long, "a", ""},
		{"several", "a=" + long + ",2026-11=" + long, "a 2026-11", ""},
		{"lines, as in a file", "\n a=" + long + "\r\n\nb_.-=" + long + "\n", "a b_.-", ""},
		{"signs of equality in the secret", "a=" + long + "==", "a", ""},
		{"32 bytes", "a=" + long[:32], "a", ""},

		{"31 bytes", "a=" + long[:31], "", "TOKEN_SECRETS: entry 1 has a secret of less than 32 bytes"},
		{"no kid", "=" + long, "", "TOKEN_SECRETS: entry 1 is not kid=secret"},
		{"only a secret", "a=" + long + "," + long, "", "TOKEN_SECRETS: entry 2 is not kid=secret"},
		{"kid with a space", "a b=" + long, "", "TOKEN_SECRETS: entry 1 is not kid=secret"},
		{"kid too long", strings.Repeat("k", 65) + "=" + long, "", "TOKEN_SECRETS: entry 1 is not kid=secret"},
		{"kid twice", "a=" + long + ",b=" + long + ",a=x" + long, "", "TOKEN_SECRETS: entry 3 has the kid of another one"},
		{"secret with a space", "a=" + long + " " + long, "", "TOKEN_SECRETS: entry 1 has a secret with a space"},
		{"secret with an umlaut", "a=ä" + long, "", "TOKEN_SECRETS: entry 1 has a secret with a space or another"},
		{"only separators", " ,\n", "", "TOKEN_SECRETS has no kid=secret"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			secrets, err := ParseSecrets(test.text)
			var ids []string
			for _, s := range secrets {
				ids = append(ids, s.id)
			}
			if got := strings.Join(ids, " "); got != test.ids {
				t.Errorf("got the ids %q, want %q", got, test.ids)
			}
			if got := fmt.Sprint(err); err != nil && (test.err == "" || !strings.HasPrefix(got, test.err)) || err == nil && test.err != "" {
				t.Errorf("got %v, want %q", err, test.err)
			}
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("%q has a part of the secret", err)
			}
		})
	}
}

func TestSecretsNeedAnAudience(t *testing.T) {
	t.Parallel()
	secrets := newTestVerifier(t, nil).secrets
	if _, err := newVerifier(Options{Secrets: secrets}); err == nil || !strings.Contains(err.Error(), "TOKEN_AUDIENCE") {
		t.Errorf("got %v", err)
	}
	if _, err := newVerifier(Options{}); err != nil {
		t.Errorf("without secrets: %v", err)
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	t.Parallel()
	holder := struct{ Secrets Secrets }{newTestVerifier(t, nil).secrets}
	encoded, err := json.Marshal(holder)
	if err != nil {
		t.Fatal(err)
	}
	printed := string(encoded)
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q"} {
		printed += fmt.Sprintf(verb, holder) + fmt.Sprintf(verb, holder.Secrets)
	}
	for _, leaked := range []string{"secret that signs", dashed(newSecret), fmt.Sprintf("%d", []byte(dashed(newSecret))), fmt.Sprintf("%x", dashed(newSecret))} {
		if strings.Contains(printed, leaked) {
			t.Errorf("%q has %q", printed, leaked)
		}
	}
}

func TestMint(t *testing.T) {
	t.Parallel()
	v := newTestVerifier(t, nil)
	text, expires, err := v.secrets.Mint("chat", "alice", noon.Add(999*time.Millisecond), 90*time.Second)
	if err != nil || !expires.Equal(noon.Add(90*time.Second)) {
		t.Fatalf("it expires at %v: %v", expires, err)
	}
	c, err := v.verify(t.Context(), text)
	if err != nil || c.User != "alice" || !c.Issued.Equal(noon) || !c.Expires.Equal(expires.Add(leeway)) {
		t.Errorf("read %v: %v", c, err)
	}
	for name, test := range map[string]struct {
		secrets Secrets
		user    string
		ttl     time.Duration
		want    Code
	}{
		"24 hours":           {v.secrets, "alice", maxLifetime, ""},
		"no secrets":         {nil, "alice", time.Hour, TokensOff},
		"no user":            {v.secrets, "", time.Hour, InvalidArgument},
		"no user id":         {v.secrets, "alice smith", time.Hour, InvalidArgument},
		"no time":            {v.secrets, "alice", 0, InvalidArgument},
		"more than 24 hours": {v.secrets, "alice", maxLifetime + time.Second, InvalidArgument},
	} {
		text, _, err := test.secrets.Mint("chat", test.user, noon, test.ttl)
		if codeOf(t, err) != test.want || (text == "") != (err != nil) {
			t.Errorf("%s: got %q and %v", name, text, err)
		}
	}
}

// TestRotationOfSecrets follows the guide: all servers know a new secret before one signs with it.
func TestRotationOfSecrets(t *testing.T) {
	t.Parallel()
	steps := []string{
		"old=" + dashed(oldSecret),
		"old=" + dashed(oldSecret) + ",new=" + dashed(newSecret),
		"new=" + dashed(newSecret) + ",old=" + dashed(oldSecret),
		"new=" + dashed(newSecret),
	}
	verifiers := make([]*verifier, len(steps))
	for i, text := range steps {
		secrets, err := ParseSecrets(text)
		if err != nil {
			t.Fatal(err)
		}
		if verifiers[i], err = newVerifier(Options{Secrets: secrets, Audience: "chat", Now: atNoon}); err != nil {
			t.Fatal(err)
		}
	}
	accepted := []string{"1110", "1110", "0111", "0111"} // by each step, of a token that a step has made
	for signs, signer := range verifiers {
		text, _, err := signer.secrets.Mint("chat", "alice", noon, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		for verifies, verifier := range verifiers {
			_, err := verifier.verify(t.Context(), text)
			if want := accepted[signs][verifies] == '1'; (err == nil) != want {
				t.Errorf("step %d signs and step %d verifies: %v", signs, verifies, err)
			}
		}
	}
}

// TestOtherLibraries verifies a token that a backend has made by itself.
func TestOtherLibraries(t *testing.T) {
	t.Parallel()
	v := newTestVerifier(t, nil)
	made := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.RegisteredClaims{
		Subject: "alice", Audience: jwt.ClaimStrings{"chat"}, Issuer: "backend", ID: "1",
		IssuedAt: jwt.NewNumericDate(noon), ExpiresAt: jwt.NewNumericDate(noon.Add(time.Hour)),
	})
	made.Header["kid"] = "old"
	text, err := made.SignedString([]byte(dashed(oldSecret)))
	if err != nil {
		t.Fatal(err)
	}
	if c, err := v.verify(t.Context(), text); err != nil || c.User != "alice" {
		t.Errorf("got %v and %v", c, err)
	}
}
