package contract

import (
	"bytes"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
	"pgregory.net/rapid"

	"github.com/message-service/message-service/internal/messaging"
)

// TestAppendTime compares what appendTime writes with what package time makes of the layout.
func TestAppendTime(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		id := rapid.Make[messaging.ID]().Draw(t, "id")
		if got, want := string(appendTime(nil, id)), id.Time().Format(`"2006-01-02T15:04:05.000Z"`); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	})
}

// TestAppendText puts each byte at each place of a text, and compares with jsontext.
func TestAppendText(t *testing.T) {
	t.Parallel()
	for place := range 20 {
		for c := range 256 {
			text := []byte("abcdefghijklmnopqrst")
			text[place] = byte(c)
			want, _ := jsontext.AppendQuote(nil, text)
			if got := AppendText(nil, string(text)); !bytes.Equal(got, want) {
				t.Errorf("%q is written as %s, want %s", text, got, want)
			}
		}
	}
}
