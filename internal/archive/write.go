package archive

import (
	"crypto/sha256"
	"fmt"
	"hash"
	"io"

	"github.com/message-service/message-service/internal/messaging"
)

// Writer writes records as lines.
type Writer struct {
	w       io.Writer // what is written, and its hash
	hash    hash.Hash
	line    []byte
	records int64
	store   bool
}

// NewUserWriter makes a writer of what belongs to a user.
func NewUserWriter(w io.Writer) *Writer { return newWriter(w, false) }

// NewStoreWriter makes a writer of a whole store, with all that [Read] needs to make
// the same one again.
func NewStoreWriter(w io.Writer) *Writer { return newWriter(w, true) }

func newWriter(w io.Writer, store bool) *Writer {
	hash := sha256.New()
	return &Writer{w: io.MultiWriter(w, hash), hash: hash, store: store}
}

// Records is the number of records written.
func (w *Writer) Records() int64 { return w.records }

// Write writes a record.
func (w *Writer) Write(r messaging.Record) error {
	w.records++
	w.line = appendLine(w.line[:0], r, w.store)
	_, err := w.w.Write(w.line)
	return err
}

// End writes the last line, which tells that nothing is missing.
func (w *Writer) End() error {
	_, err := fmt.Fprintf(w.w, `{"type":"end","records":%d,"sha256":"%x"}`+"\n", w.records, w.hash.Sum(nil))
	return err
}
