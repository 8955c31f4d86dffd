package contract

import (
	"encoding/hex"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/message-service/message-service/internal/messaging"
)

// AppendText appends a text as a JSON string to b.
func AppendText(b []byte, s string) []byte {
	if isPlain(s) {
		return append(append(append(b, '"'), s...), '"')
	}
	b, _ = jsontext.AppendQuote(b, s) // it fails only for invalid UTF-8, which it replaces
	return b
}

// isPlain reports whether a text needs no escapes in JSON and is ASCII, as most texts are: it has no
// control character, quotation mark or backslash. Checking eight bytes at a time takes a fifth of
// the time of jsontext.
func isPlain(s string) bool {
	const each, high = 0x0101010101010101, 0x8080808080808080
	for ; len(s) >= 8; s = s[8:] {
		x := uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
			uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
		// Subtracting a greater byte borrows, which sets the highest bit.
		if (x|(x-each*' ')|((x^each*'"')-each)|((x^each*'\\')-each))&high != 0 {
			return false
		}
	}
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > 0x7f || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// AppendID appends an id as a JSON string to b.
func AppendID(b []byte, id messaging.ID) []byte { return append(AppendBareID(append(b, '"'), id), '"') }

// AppendBareID appends an id without quotation marks to b.
func AppendBareID(b []byte, id messaging.ID) []byte {
	b = hex.AppendEncode(b, id[:4])
	b = hex.AppendEncode(append(b, '-'), id[4:6])
	b = hex.AppendEncode(append(b, '-'), id[6:8])
	b = hex.AppendEncode(append(b, '-'), id[8:10])
	return hex.AppendEncode(append(b, '-'), id[10:])
}

// appendTime appends the time in an id.
func appendTime(b []byte, id messaging.ID) []byte { return appendTimestamp(b, id.Time()) }

// appendTimestamp appends a time in UTC, to the millisecond. Package time formats time.RFC3339, which has no
// milliseconds, several times as fast as any other layout.
func appendTimestamp(b []byte, t time.Time) []byte {
	b = t.AppendFormat(append(b, '"'), time.RFC3339)
	ms := t.Nanosecond() / int(time.Millisecond)
	return append(b[:len(b)-1], '.', byte('0'+ms/100), byte('0'+ms/10%10), byte('0'+ms%10), 'Z', '"')
}
