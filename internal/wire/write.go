package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"hash"
	"io"

	"github.com/google/uuid"

	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/messaging"
)

// Writer writes records as lines.
type Writer struct {
	lines   *json.Encoder
	hash    hash.Hash
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
	lines := json.NewEncoder(io.MultiWriter(w, hash))
	lines.SetEscapeHTML(false)
	return &Writer{lines: lines, hash: hash, store: store}
}

// Records is the number of records written.
func (w *Writer) Records() int64 { return w.records }

// Write writes a record.
func (w *Writer) Write(r messaging.Record) error {
	w.records++
	return w.lines.Encode(toLine(r, w.store))
}

// End writes the last line, which tells that nothing is missing.
func (w *Writer) End() error {
	sum := hex.EncodeToString(w.hash.Sum(nil))
	return w.lines.Encode(server.ExportRecord{Type: server.ExportRecordTypeEnd, Records: &w.records, Sha256: &sum})
}

// toLine makes a line of a record, for a store with all that makes it the same again.
func toLine(r messaging.Record, store bool) server.ExportRecord {
	var line server.ExportRecord
	var changed *messaging.ID
	switch {
	case r.Message != nil:
		line.Type, line.Message, changed = server.ExportRecordTypeMessage, new(Message(r.Message.Message)), r.Message.Changed
	case r.ReadMarker != nil:
		line.Type, line.ReadMarker, changed = server.ExportRecordTypeReadMarker, new(ReadMarker(*r.ReadMarker)), &r.ReadMarker.Changed
	case r.Block != nil:
		line.Type, line.Block, changed = server.ExportRecordTypeBlock, new(Block(*r.Block)), &r.Block.Changed
	}
	if !store {
		return line
	}
	line.Changed = (*uuid.UUID)(changed)
	if m := r.Message; m != nil && m.IdempotencyKey != "" {
		line.IdempotencyKey = &m.IdempotencyKey
	}
	if m := r.Message; m != nil && m.Fingerprint != nil {
		line.Fingerprint = new(hex.EncodeToString(m.Fingerprint))
	}
	return line
}
