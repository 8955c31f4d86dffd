package identity

import (
	"encoding/base64"
	"errors"
	"math"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

const (
	maxTokenSize = 4096             // bounds what a token costs before its signature is known to be wrong
	maxLifetime  = 24 * time.Hour   // revocations are kept for that long
	leeway       = 30 * time.Second // of clocks that differ
)

// userID is the pattern of schema UserId in the contract; TestUserID compares them. It takes milliseconds to compile, so a server
// that needs none does not.
var userID = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[A-Za-z0-9_@:|+='-][A-Za-z0-9._~@:|+='-]{0,127}$`)
})

// claims are what is read of a verified token. No other claim grants anything.
type claims struct {
	User    string
	Issued  time.Time
	Expires time.Time // from when it is refused, which is exp and the leeway
}

// unverified is a JWT whose signature has not been verified.
type unverified struct {
	header    header
	payload   []byte
	signed    string // what the signature is made over
	signature []byte
}

// header is what is read of a JOSE header (RFC 7515). A key in it, or the address of one, is ignored.
type header struct {
	Algorithm string         `json:"alg"`
	KeyID     string         `json:"kid"`
	Type      string         `json:"typ"`
	Critical  jsontext.Value `json:"crit"`
}

// parseToken takes a JWT apart. Package jwt has a parser too, but that one takes the last of several
// members with the same name, and takes names that differ in case for the same.
func parseToken(text string) (unverified, error) {
	parts := strings.Split(text, ".")
	if len(text) > maxTokenSize || len(parts) != 3 {
		return unverified{}, invalidToken("The credential is neither a service key of this server nor a signed JWT of at most 4096 characters.")
	}
	t := unverified{signed: text[:len(parts[0])+1+len(parts[1])]}
	first, err1 := decodePart(parts[0])
	payload, err2 := decodePart(parts[1])
	signature, err3 := decodePart(parts[2])
	if err := errors.Join(err1, err2, err3, json.Unmarshal(first, &t.header)); err != nil {
		return unverified{}, invalidToken("The token is not a well-formed JWT.")
	}
	t.payload, t.signature = payload, signature
	return t, t.header.check()
}

// decodePart decodes base64url in its one canonical form. Package base64 skips line ends even if strict.
func decodePart(part string) ([]byte, error) {
	if strings.ContainsAny(part, "\r\n") {
		return nil, base64.CorruptInputError(0)
	}
	return base64.RawURLEncoding.Strict().DecodeString(part)
}

func (h header) check() error {
	switch strings.ToLower(strings.TrimPrefix(h.Type, "application/")) {
	case "", "jwt", "at+jwt":
	default:
		return invalidToken("The typ of the token is neither JWT nor at+jwt.")
	}
	if h.Critical != nil {
		return invalidToken("The token has crit, and no extension is supported.")
	}
	if h.KeyID == "" {
		return invalidToken("The token has no kid.")
	}
	return nil
}

// payload is what is read of the claims of a JWT (RFC 7519). Package json compares names exactly, and
// refuses duplicates.
type payload struct {
	Subject   string      `json:"sub"`
	Issuer    string      `json:"iss"`
	Audience  audience    `json:"aud"`
	Issued    numericDate `json:"iat"`
	NotBefore numericDate `json:"nbf"`
	Expires   numericDate `json:"exp"`
}

// issuedAt returns what an unverified token says, or zero.
func (t unverified) issuedAt() time.Time {
	var p payload
	if json.Unmarshal(t.payload, &p) != nil {
		return time.Time{}
	}
	return p.Issued.Time
}

// audience is one string or a list of them.
type audience []string

// UnmarshalJSONFrom implements [json.UnmarshalerFrom].
func (a *audience) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	if d.PeekKind() == '"' {
		*a = audience{""}
		return json.UnmarshalDecode(d, &(*a)[0])
	}
	return json.UnmarshalDecode(d, (*[]string)(a))
}

// numericDate is a number of seconds since 1970, zero if absent.
type numericDate struct{ time.Time }

// UnmarshalJSONFrom implements [json.UnmarshalerFrom]. It is also called for null, and refuses that.
func (n *numericDate) UnmarshalJSONFrom(d *jsontext.Decoder) error {
	value, err := d.ReadToken()
	if err != nil {
		return err
	}
	if value.Kind() != '0' {
		return errors.New("not a number")
	}
	seconds, err := value.Float()
	if err != nil || math.Abs(seconds) >= 1<<53 {
		return errors.New("out of range")
	}
	whole, fraction := math.Modf(seconds)
	n.Time = time.Unix(int64(whole), int64(fraction*1e9))
	return nil
}

// expected is what the claims of a token must say.
type expected struct {
	audience string
	issuer   string // "" if it does not matter
}

// readClaims reads the claims of a verified token. A token that breaks several rules is [Expired] only
// if it breaks no other one.
func (e expected) readClaims(text []byte, now time.Time) (claims, error) {
	var p payload
	if err := json.Unmarshal(text, &p); err != nil {
		return claims{}, invalidToken("The claims of the token are malformed.")
	}
	switch {
	case !userID().MatchString(p.Subject):
		return claims{}, invalidToken("The sub of the token is not a user id.")
	case !slices.Contains(p.Audience, e.audience):
		return claims{}, invalidToken("The aud of the token does not name this service.")
	case e.issuer != "" && p.Issuer != e.issuer:
		return claims{}, invalidToken("The iss of the token is not the configured issuer.")
	case p.Issued.IsZero() || p.Expires.IsZero():
		return claims{}, invalidToken("The token has no iat or no exp.")
	case !p.Expires.After(p.Issued.Time) || p.Expires.Sub(p.Issued.Time) > maxLifetime:
		return claims{}, invalidToken("The exp of the token is not within 24 hours after its iat.")
	case p.Issued.Sub(now) > leeway:
		return claims{}, invalidToken("The iat of the token lies in the future: compare the clocks.")
	case p.NotBefore.Sub(now) > leeway:
		return claims{}, invalidToken("The nbf of the token lies in the future.")
	}
	c := claims{User: p.Subject, Issued: p.Issued.Time, Expires: p.Expires.Add(leeway)}
	if !now.Before(c.Expires) {
		return claims{}, errExpired
	}
	return c, nil
}

func invalidToken(message string) *Error { return &Error{Code: Invalid, Message: message} }
