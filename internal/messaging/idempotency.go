package messaging

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"

	"github.com/message-service/message-service/internal/table"
)

// NewKeyRecord makes the record of a key and the hash of its request, which is nil if it is not
// known any more.
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

// isOfOtherRequest reports whether the record is of another request than one under the same key.
func (r KeyRecord) isOfOtherRequest(other KeyRecord) bool {
	return r.Fingerprint != nil && !bytes.Equal(r.Fingerprint, other.Fingerprint)
}

// stored is what the store keeps of the draft, but for the id of its message.
func (d *Draft) stored() StoredMessage {
	m := d.message()
	if d.IdempotencyKey == "" {
		return StoredMessage{Message: m}
	}
	return StoredMessage{Message: m, KeyRecord: NewKeyRecord(d.IdempotencyKey, requestHash(&m, messageColumns))}
}

// requestHash is the hash of the content of a request to send a message. Stored fingerprints depend
// on it, so the first columns keep their format, and a later column that is empty must not change
// the hash.
func requestHash(m *Message, columns []table.Column[Message]) []byte {
	hash := sha256.New()
	_, _ = fmt.Fprintf(hash, "%d:%s%d:%s", len(m.Text), m.Text, len(m.Metadata), m.Metadata) // a hash does not fail
	if m.ReplyTo != nil {
		_, _ = hash.Write(m.ReplyTo[:])
	}
	for _, c := range columns {
		switch c.Name {
		case "text", "metadata", "reply_to":
			continue
		}
		if field := c.Field(m); c.Erased != "" && !isEmpty(field) {
			text := fmt.Sprint(value(field))
			_, _ = fmt.Fprintf(hash, "%s=%d:%s", c.Name, len(text), text)
		}
	}
	return hash.Sum(nil)
}
