package messaging

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
)

// KeyRecord is what a store keeps of the idempotency key a message was sent with: enough to
// recognise the key and the request, but nothing that confirms a guess at either. It is
// the zero value without a key.
type KeyRecord struct {
	Hash        []byte `db:"key_hash"`    // SHA-256 of the key
	Fingerprint []byte `db:"fingerprint"` // HMAC-SHA-256 of the hash of the request, by the key; may be nil of a message deleted long ago
}

// NewKeyRecord makes the record of a key that came with a request of a hash, which may be
// nil if it is not known any more.
func NewKeyRecord(key string, request []byte) KeyRecord {
	hash := sha256.Sum256([]byte(key))
	record := KeyRecord{Hash: hash[:]}
	if request != nil {
		mac := hmac.New(sha256.New, []byte(key))
		_, _ = mac.Write(request) // a hash does not fail
		record.Fingerprint = mac.Sum(nil)
	}
	return record
}

// isOfAnother reports whether the record is of another request than one under the same key.
func (r KeyRecord) isOfAnother(other KeyRecord) bool {
	return r.Fingerprint != nil && !bytes.Equal(r.Fingerprint, other.Fingerprint)
}

// key is the record of the draft's idempotency key.
func (d *Draft) key() KeyRecord {
	if d.IdempotencyKey == "" {
		return KeyRecord{}
	}
	hash := sha256.New()
	_, _ = fmt.Fprintf(hash, "%d:%s%d:%s", len(d.Text), d.Text, len(d.Metadata), d.Metadata)
	if d.ReplyTo != nil {
		_, _ = hash.Write(d.ReplyTo[:])
	}
	return NewKeyRecord(d.IdempotencyKey, hash.Sum(nil))
}
