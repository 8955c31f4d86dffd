package identity

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"regexp"
	"slices"
	"strings"
)

// GivenKeys are the service keys that an operator gives by SERVICE_KEY. They have all scopes, do not expire,
// and are not stored: only a restart without them revokes them.
type GivenKeys []givenKey

type givenKey struct {
	hash      [sha256.Size]byte
	principal *Principal
}

// givenPrefix is that of the ids of given keys. No stored key has such an id.
const givenPrefix = "env-"

// givenPattern matches a token of RFC 6750.
var givenPattern = regexp.MustCompile(`^[A-Za-z0-9._~+/-]+=*$`)

// ParseGivenKeys parses service keys that are separated by commas or lines. No error quotes a key.
func ParseGivenKeys(text string) (GivenKeys, error) {
	var keys GivenKeys
	for _, key := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(", \t\r\n", r) }) {
		if !givenPattern.MatchString(key) || len(strings.TrimRight(key, "=")) < 32 || len(key) > 256 {
			return nil, errors.New("each key must have 32 to 256 characters: letters, digits and . _ ~ + / - and = at the end")
		}
		hash := sha256.Sum256([]byte(key))
		if keys.find(&hash) == nil {
			keys = append(keys, givenKey{hash, &Principal{Key: givenPrefix + hex.EncodeToString(hash[:4]), Scopes: Scopes()}})
		}
	}
	if keys == nil && text != "" {
		return nil, errors.New("there is no key in it")
	}
	return keys, nil
}

// find returns the principal of the key with a hash, or nil.
func (k GivenKeys) find(hash *[sha256.Size]byte) *Principal {
	for i := range k {
		if subtle.ConstantTimeCompare(k[i].hash[:], hash[:]) == 1 {
			return k[i].principal
		}
	}
	return nil
}

// has reports whether a key has an id.
func (k GivenKeys) has(id string) bool {
	return slices.ContainsFunc(k, func(key givenKey) bool { return key.principal.Key == id })
}
