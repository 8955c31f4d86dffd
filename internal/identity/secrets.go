package identity

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// Secrets are those of TOKEN_SECRETS: the first signs, and all verify, so that one can be replaced
// while tokens of the former are in use.
type Secrets []secret

type secret struct {
	id  string        // the kid
	key func() []byte // a function, of which fmt and slog print an address
}

const minSecretSize = 32 // as many bytes as HS256 makes (RFC 7518)

var (
	secretID   = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}$`)
	secretText = regexp.MustCompile(`^[!-~]+$`)
)

// ParseSecrets reads TOKEN_SECRETS: kid=secret, separated by commas or line ends. The key of the
// signature is the text of the secret, whatever it may encode. An error never has any part of the text.
func ParseSecrets(text string) (Secrets, error) {
	var secrets Secrets
	for entry := range strings.FieldsFuncSeq(text, func(r rune) bool { return r == ',' || r == '\n' }) {
		if entry = strings.TrimSpace(entry); entry == "" {
			continue
		}
		wrong := func(what string) error {
			return fmt.Errorf("TOKEN_SECRETS: entry %d %s", len(secrets)+1, what)
		}
		id, value, found := strings.Cut(entry, "=")
		switch {
		case !found || !secretID.MatchString(id):
			return nil, wrong("is not kid=secret, where kid is 1 to 64 letters, digits and ._-")
		case len(value) < minSecretSize:
			return nil, wrong(fmt.Sprintf("has a secret of less than %d bytes", minSecretSize))
		case !secretText.MatchString(value):
			return nil, wrong("has a secret with a space or another character that is not printable ASCII")
		case secrets.find(id) != nil:
			return nil, wrong("has the kid of another one")
		}
		secrets = append(secrets, secret{id, func() []byte { return []byte(value) }})
	}
	if secrets == nil && text != "" {
		return nil, errors.New("TOKEN_SECRETS has no kid=secret")
	}
	return secrets, nil
}

// find returns the key with an id, or nil.
func (s Secrets) find(id string) []byte {
	if i := slices.IndexFunc(s, func(s secret) bool { return s.id == id }); i >= 0 {
		return s[i].key()
	}
	return nil
}

// Mint makes a token for a user, from now, which is at most 24 hours valid. It ends with [TokensOff] if
// there is no secret.
func (s Secrets) Mint(audience, user string, now time.Time, ttl time.Duration) (text string, expires time.Time, err error) {
	switch {
	case len(s) == 0:
		return "", time.Time{}, &Error{Code: TokensOff, Message: "No tokens are made here: the server has no TOKEN_SECRETS."}
	case !userID().MatchString(user):
		return "", time.Time{}, invalidArgument("userId", "must be a user id")
	case ttl < time.Second || ttl > maxLifetime:
		return "", time.Time{}, invalidArgument("ttlSeconds", "must be between one second and 24 hours")
	}
	issued := now.Truncate(time.Second)
	expires = issued.Add(ttl.Truncate(time.Second))
	t := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"sub": user, "aud": audience, "iat": issued.Unix(), "exp": expires.Unix(),
	})
	t.Header["kid"] = s[0].id
	text, err = t.SignedString(s[0].key())
	return text, expires, err
}
