package identity

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/message-service/message-service/internal/contract"
)

const (
	oldSecret = "an old secret of thirty-two bytes"
	newSecret = "the new secret that signs, 41 characters"
	goodToken = `{"alg":"HS256","kid":"new"}`
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

func atNoon() time.Time { return noon }

// newTestVerifier has two secrets, and a clock that stands at noon.
func newTestVerifier(t testing.TB, issuer *issuer) *verifier {
	t.Helper()
	secrets, err := ParseSecrets("new=" + dashed(newSecret) + "\nold=" + dashed(oldSecret))
	if err != nil {
		t.Fatal(err)
	}
	v, err := newVerifier(Options{Secrets: secrets, Audience: "chat", Now: atNoon})
	if err != nil {
		t.Fatal(err)
	}
	v.issuer = issuer
	return v
}

func dashed(text string) string { return strings.NewReplacer(" ", "-", ",", "").Replace(text) }

func encode(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// sign signs any header and payload, even those that no library would make, with the new secret.
func sign(t testing.TB, header, payload string) string {
	t.Helper()
	return signWith(t, jwt.SigningMethodHS256, []byte(dashed(newSecret)), encode(header)+"."+encode(payload))
}

func signWith(t testing.TB, method jwt.SigningMethod, key any, text string) string {
	t.Helper()
	signature, err := method.Sign(text, key)
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + encode(string(signature))
}

// codeOf returns the code of an [Error], or "" of nil.
func codeOf(t testing.TB, err error) Code {
	t.Helper()
	if err == nil {
		return ""
	}
	var known *Error
	if !errors.As(err, &known) {
		t.Fatalf("%v is not an Error", err)
	}
	return known.Code
}

// claimsOf returns claims that are valid at noon, but for the given replacements.
func claimsOf(replacements ...string) string {
	const valid = `{"sub":"alice","aud":"chat","iat":1795694400,"exp":1795698000}` // noon and an hour later
	return strings.NewReplacer(replacements...).Replace(valid)
}

func TestClaims(t *testing.T) {
	t.Parallel()
	v := newTestVerifier(t, nil)
	tests := []struct {
		name, payload string
		want          string // in the reason why it is refused
	}{
		{"valid", claimsOf(), ""},
		{"one of several audiences", claimsOf(`"chat"`, `["other","chat"]`), ""},
		{"other claims grant nothing and do no harm", claimsOf(`{`, `{"scope":"admin","roles":["service"],"admin":true,`), ""},
		{"whole seconds with an exponent", claimsOf("1795694400", "17956944e2"), ""},
		{"fractions of a second", claimsOf("1795694400", "1795694400.5"), ""},
		{"a user id that begins with a sign", claimsOf("alice", "|auth0:alice@example.org"), ""},

		{"sub missing", claimsOf(`"sub":"alice",`, ""), "The sub"},
		{"sub empty", claimsOf("alice", ""), "The sub"},
		{"sub a number", claimsOf(`"alice"`, `123`), "malformed"},
		{"sub null", claimsOf(`"alice"`, `null`), "The sub"},
		{"sub a list", claimsOf(`"alice"`, `["alice"]`), "malformed"},
		{"sub with a space", claimsOf("alice", "alice "), "The sub"},
		{"sub with a line end", claimsOf("alice", `alice\n`), "The sub"},
		{"sub with a zero byte", claimsOf("alice", `alice\u0000`), "The sub"},
		{"sub that is not UTF-8", claimsOf("alice", "alice\xff"), "malformed"},
		{"sub that names a group", claimsOf("alice", "~team"), "The sub"},
		{"sub too long", claimsOf("alice", strings.Repeat("a", 129)), "The sub"},
		{"sub twice", claimsOf(`{`, `{"sub":"bob",`), "malformed"},
		{"sub twice, once with an escape", claimsOf(`{`, `{"s\u0075b":"bob",`), "malformed"},
		{"sub in capitals only", claimsOf(`"sub"`, `"SUB"`), "The sub"},
		{"another claim twice", claimsOf(`{`, `{"x":1,"x":1,`), "malformed"},

		{"aud missing", claimsOf(`"aud":"chat",`, ""), "The aud"},
		{"aud of another service", claimsOf("chat", "chat2"), "The aud"},
		{"aud in capitals", claimsOf("chat", "CHAT"), "The aud"},
		{"aud empty", claimsOf("chat", ""), "The aud"},
		{"aud an empty list", claimsOf(`"chat"`, `[]`), "The aud"},
		{"aud a list with a number", claimsOf(`"chat"`, `["chat",1]`), "malformed"},
		{"aud an object", claimsOf(`"chat"`, `{"chat":"chat"}`), "malformed"},
		{"aud null", claimsOf(`"chat"`, `null`), "The aud"},
		{"iss a number", claimsOf(`{`, `{"iss":1,`), "malformed"},

		{"exp missing", claimsOf(`,"exp":1795698000`, ""), "no iat or no exp"},
		{"exp a string", claimsOf("1795698000", `"1795698000"`), "malformed"},
		{"exp null", claimsOf("1795698000", `null`), "malformed"},
		{"exp true", claimsOf("1795698000", `true`), "malformed"},
		{"exp in capitals", claimsOf(`"exp"`, `"EXP"`), "no iat or no exp"},
		{"exp absurd", claimsOf("1795698000", "99999999999"), "within 24 hours"},
		{"exp beyond all numbers", claimsOf("1795698000", "1e999"), "malformed"},
		{"exp beyond all times", claimsOf("1795698000", "9e300"), "malformed"},
		{"exp before all times", claimsOf("1795698000", "-9e300"), "malformed"},
		{"exp before iat", claimsOf("1795698000", "1795694399"), "within 24 hours"},
		{"exp at iat", claimsOf("1795698000", "1795694400"), "within 24 hours"},
		{"24 hours", claimsOf("1795698000", "1795780800"), ""},
		{"more than 24 hours", claimsOf("1795698000", "1795780801"), "within 24 hours"},
		{"expired within the leeway", claimsOf("1795694400", "1795690000", "1795698000", "1795694371"), ""},
		{"expired", claimsOf("1795694400", "1795690000", "1795698000", "1795694370"), "has expired"},
		{"expired, of another service", claimsOf("chat", "other", "1795694400", "1795690000", "1795698000", "1795694000"), "The aud"},

		{"iat missing", claimsOf(`"iat":1795694400,`, ""), "no iat or no exp"},
		{"iat a string", claimsOf("1795694400", `"1795694400"`), "malformed"},
		{"iat 30 seconds ahead", claimsOf("1795694400", "1795694430"), ""},
		{"iat further ahead", claimsOf("1795694400", "1795694431"), "The iat"},
		{"nbf 30 seconds ahead", claimsOf(`{`, `{"nbf":1795694430,`), ""},
		{"nbf further ahead", claimsOf(`{`, `{"nbf":1795694431,`), "The nbf"},
		{"nbf a string", claimsOf(`{`, `{"nbf":"0",`), "malformed"},
		{"nbf null", claimsOf(`{`, `{"nbf":null,`), "malformed"},

		{"not an object", `["alice"]`, "malformed"},
		{"null", `null`, "The sub"},
		{"empty", ``, "malformed"},
		{"not JSON", `{sub:"alice"}`, "malformed"},
		{"more after the object", claimsOf() + `{}`, "malformed"},
		{"a byte order mark", "\ufeff" + claimsOf(), "malformed"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			c, err := v.verify(t.Context(), sign(t, goodToken, test.payload))
			if got := fmt.Sprint(err); (err == nil) != (test.want == "") || !strings.Contains(got, test.want) {
				t.Fatalf("%s: %v, want %q", test.payload, err, test.want)
			}
			if code := codeOf(t, err); err != nil && (code == Expired) != (test.want == "has expired") {
				t.Errorf("the code is %q", code)
			}
			if err != nil && c != (claims{}) {
				t.Errorf("it returned %v beside an error", c)
			}
		})
	}
}

func TestClaimsAsRead(t *testing.T) {
	t.Parallel()
	got, err := newTestVerifier(t, nil).verify(t.Context(), sign(t, goodToken, claimsOf(`{`, `{"SUB":"bob","Exp":1,`, "1795694400", "1795694400.5")))
	want := claims{User: "alice", Issued: noon.Add(time.Second / 2), Expires: noon.Add(time.Hour + leeway)}
	if err != nil || got.User != want.User || !got.Issued.Equal(want.Issued) || !got.Expires.Equal(want.Expires) {
		t.Errorf("got %v and %v, want %v", got, err, want)
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	v := newTestVerifier(t, nil)
	tests := []struct {
		name, header string
		want         Code
	}{
		{"valid", goodToken, ""},
		{"JWT", `{"alg":"HS256","kid":"new","typ":"JWT"}`, ""},
		{"at+jwt", `{"alg":"HS256","kid":"new","typ":"at+jwt"}`, ""},
		{"application/at+jwt", `{"alg":"HS256","kid":"new","typ":"application/at+jwt"}`, ""},
		{"a key and addresses of keys are ignored", `{"alg":"HS256","kid":"new","jwk":{"kty":"oct","k":"AA"},"jku":"http://127.0.0.1:1/","x5u":"http://127.0.0.1:1/"}`, ""},

		{"another typ", `{"alg":"HS256","kid":"new","typ":"logout+jwt"}`, Invalid},
		{"typ a number", `{"alg":"HS256","kid":"new","typ":1}`, Invalid},
		{"no kid", `{"alg":"HS256"}`, Invalid},
		{"kid empty", `{"alg":"HS256","kid":""}`, Invalid},
		{"kid null", `{"alg":"HS256","kid":null}`, Invalid},
		{"kid a number", `{"alg":"HS256","kid":1}`, Invalid},
		{"kid unknown", `{"alg":"HS256","kid":"other"}`, Invalid},
		{"kid of another secret", `{"alg":"HS256","kid":"old"}`, Invalid},
		{"kid in capitals", `{"alg":"HS256","kid":"NEW"}`, Invalid},
		{"kid twice", `{"alg":"HS256","kid":"old","kid":"new"}`, Invalid},
		{"kid huge", `{"alg":"HS256","kid":"` + strings.Repeat("new", 1000) + `"}`, Invalid},
		{"kid a path", `{"alg":"HS256","kid":"../../dev/null"}`, Invalid},
		{"no alg", `{"kid":"new"}`, Invalid},
		{"alg none", `{"alg":"none","kid":"new"}`, Invalid},
		{"alg None", `{"alg":"None","kid":"new"}`, Invalid},
		{"alg in small letters", `{"alg":"hs256","kid":"new"}`, Invalid},
		{"alg HS512", `{"alg":"HS512","kid":"new"}`, Invalid},
		{"alg RS256", `{"alg":"RS256","kid":"new"}`, Invalid},
		{"alg EdDSA", `{"alg":"EdDSA","kid":"new"}`, Invalid},
		{"alg a list", `{"alg":["HS256"],"kid":"new"}`, Invalid},
		{"alg twice", `{"alg":"none","alg":"HS256","kid":"new"}`, Invalid},
		{"name in capitals", `{"ALG":"HS256","kid":"new"}`, Invalid},
		{"crit", `{"alg":"HS256","kid":"new","crit":["exp"]}`, Invalid},
		{"crit empty", `{"alg":"HS256","kid":"new","crit":[]}`, Invalid},
		{"crit null", `{"alg":"HS256","kid":"new","crit":null}`, Invalid},
		{"b64", `{"alg":"HS256","kid":"new","b64":false,"crit":["b64"]}`, Invalid},
		{"not an object", `"HS256"`, Invalid},
		{"more after the object", goodToken + ` 1`, Invalid},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if _, err := v.verify(t.Context(), sign(t, test.header, claimsOf())); codeOf(t, err) != test.want {
				t.Errorf("%s: %v, want %q", test.header, err, test.want)
			}
		})
	}
}

func TestShapesOfTokens(t *testing.T) {
	t.Parallel()
	v := newTestVerifier(t, nil)
	good := sign(t, goodToken, claimsOf())
	parts := strings.Split(good, ".")
	expired := sign(t, goodToken, claimsOf("1795694400", "1795690000", "1795698000", "1795694000"))
	tests := map[string]string{
		"empty":                        "",
		"dots only":                    "..",
		"without a signature":          parts[0] + "." + parts[1] + ".",
		"two parts":                    parts[0] + "." + parts[1],
		"JWE, of five parts":           good + "." + parts[1] + "." + parts[2],
		"a dot at the end":             good + ".",
		"a space at the end":           good + " ",
		"a line end at the end":        good + "\n",
		"a line end within":            parts[0] + "." + parts[1] + "." + parts[2][:5] + "\n" + parts[2][5:],
		"padding":                      good + "=",
		"unused bits of the signature": good[:len(good)-1] + string(good[len(good)-1]+1), // of 43 characters, the last has 2 unused bits
		"not base64url":                strings.Replace(good, parts[2][:1], "+", 1),
		"the signature of another one": parts[0] + "." + encode(claimsOf("alice", "bob")) + "." + parts[2],
		"payload not encoded (b64)":    signWith(t, jwt.SigningMethodHS256, []byte(dashed(newSecret)), encode(`{"alg":"HS256","kid":"new","b64":false}`)+"."+claimsOf()),
		"expired, without a signature": expired[:strings.LastIndex(expired, ".")+1],
		"expired, with a wrong one":    expired[:strings.LastIndex(expired, ".")+1] + parts[2],
		"larger than 4 kB":             sign(t, goodToken, claimsOf("{", `{"x":"`+strings.Repeat("x", 3000)+`",`)),
		"very large":                   strings.Repeat("x", 1<<20) + "." + parts[1] + "." + parts[2],
		"many dots":                    strings.Repeat(".", 1<<20),
	}
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := v.verify(t.Context(), text); codeOf(t, err) != Invalid {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, err := v.verify(t.Context(), good); err != nil {
		t.Errorf("the token that they were made of: %v", err)
	}
}

func TestUserID(t *testing.T) {
	t.Parallel()
	if want := contract.Document().Components.Schemas["UserId"].Value.Pattern; userID().String() != want {
		t.Errorf("a sub must match %s, and a user id %s", userID(), want)
	}
}
