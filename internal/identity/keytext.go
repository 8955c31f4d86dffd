package identity

import (
	"crypto/rand"
	"hash/crc32"
	"strings"
)

// base62 are the digits of ids, secrets and checksums: letters and digits only, so that a double click
// selects the whole key.
const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

const (
	keyPrefix      = "msk_" // a secret scanner finds keys by it
	ticketPrefix   = "mst_"
	idDigits       = 12
	secretDigits   = 32 // 190 bits
	checksumDigits = 6
)

// newKey makes a service key, msk_<id>_<secret>_<checksum>.
func newKey() (key, id string) {
	id = random(idDigits)
	body := keyPrefix + id + "_" + random(secretDigits)
	return body + "_" + checksum(body), id
}

// idOfKey returns the id in a service key, and false for what cannot be one: a key with a typing error is refused
// without a query.
func idOfKey(key string) (id string, ok bool) {
	const idEnd = len(keyPrefix) + idDigits
	const secretEnd = idEnd + 1 + secretDigits
	if len(key) != secretEnd+1+checksumDigits || !strings.HasPrefix(key, keyPrefix) || key[idEnd] != '_' || key[secretEnd] != '_' {
		return "", false
	}
	return key[len(keyPrefix):idEnd], checksum(key[:secretEnd]) == key[secretEnd+1:]
}

// checksum returns the CRC-32 of a text in base 62.
func checksum(text string) string {
	sum := crc32.ChecksumIEEE([]byte(text))
	var digits [checksumDigits]byte
	for i := range digits {
		digits[checksumDigits-1-i] = base62[sum%62]
		sum /= 62
	}
	return string(digits[:])
}

// random returns n random digits in base 62.
func random(n int) string {
	digits := make([]byte, 0, n)
	for len(digits) < n {
		var bytes [64]byte
		_, _ = rand.Read(bytes[:]) // it does not fail
		for _, b := range bytes {
			if b < 4*62 && len(digits) < n { // beyond that, some digits would be likelier than others
				digits = append(digits, base62[b%62])
			}
		}
	}
	return string(digits)
}
