package archive

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"io"

	"github.com/message-service/message-service/internal/messaging"
)

// writer writes records as lines.
type writer struct {
	w       io.Writer // the output and hash
	hash    hash.Hash
	line    []byte
	records int64
	store   bool // of a whole store, with all that an import needs
}

func newWriter(w io.Writer, store bool) *writer {
	hash := sha256.New()
	return &writer{w: io.MultiWriter(w, hash), hash: hash, store: store}
}

// write writes a record.
func (w *writer) write(r messaging.Record) error {
	w.records++
	w.line = appendLine(w.line[:0], r, w.store)
	_, err := w.w.Write(w.line)
	return err
}

// end writes the last line, by which a reader knows that nothing is missing.
func (w *writer) end() error {
	_, err := fmt.Fprintf(w.w, `{"type":"end","records":%d,"sha256":"%x"}`+"\n", w.records, w.hash.Sum(nil))
	return err
}
