package archive

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"hash"
	"io"

	"github.com/google/uuid"

	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/contract"
	"github.com/message-service/message-service/internal/messaging"
)

// Writer writes records as lines.
type Writer struct {
	w       io.Writer // what is written, and its hash
	hash    hash.Hash
	line    bytes.Buffer
	encoder *json.Encoder // into line
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
	writer := &Writer{w: io.MultiWriter(w, hash), hash: hash, store: store}
	writer.encoder = json.NewEncoder(&writer.line)
	writer.encoder.SetEscapeHTML(false)
	return writer
}

// Records is the number of records written.
func (w *Writer) Records() int64 { return w.records }

// Write writes a record.
func (w *Writer) Write(r messaging.Record) error {
	w.records++
	return w.write(toLine(r, w.store))
}

// End writes the last line, which tells that nothing is missing.
func (w *Writer) End() error {
	sum := hex.EncodeToString(w.hash.Sum(nil))
	return w.write(server.ExportRecord{Type: server.ExportRecordTypeEnd, Records: &w.records, Sha256: &sum})
}

func (w *Writer) write(record server.ExportRecord) error {
	w.line.Reset()
	if err := w.encoder.Encode(record); err != nil {
		return err
	}
	// Some readers of lines take it for the end of one, as they do U+2028 and U+2029,
	// which the encoder escapes.
	_, err := w.w.Write(bytes.ReplaceAll(w.line.Bytes(), []byte("\u0085"), []byte(`\u0085`)))
	return err
}

// toLine makes a line of a record, for a store with all that makes it the same again.
func toLine(r messaging.Record, store bool) server.ExportRecord {
	var line server.ExportRecord
	var changed *messaging.ID
	switch {
	case r.Message != nil:
		line.Type, line.Message, changed = server.ExportRecordTypeMessage, new(contract.Message(r.Message.Message)), r.Message.Changed
	case r.ReadMarker != nil:
		line.Type, line.ReadMarker, changed = server.ExportRecordTypeReadMarker, new(contract.ReadMarker(*r.ReadMarker)), &r.ReadMarker.Changed
	case r.Block != nil:
		line.Type, line.Block, changed = server.ExportRecordTypeBlock, new(contract.Block(*r.Block)), &r.Block.Changed
	}
	if !store {
		return line
	}
	line.Changed = (*uuid.UUID)(changed)
	if r.Message != nil {
		setKeyRecord(&line, r.Message.KeyRecord)
	}
	return line
}

// setKeyRecord puts the record of an idempotency key into a line.
func setKeyRecord(line *server.ExportRecord, record messaging.KeyRecord) {
	if record.Hash != nil {
		line.KeyHash = new(hex.EncodeToString(record.Hash))
	}
	if record.Fingerprint != nil {
		line.Fingerprint = new(hex.EncodeToString(record.Fingerprint))
	}
}
