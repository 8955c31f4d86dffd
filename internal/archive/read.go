package archive

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	jsonv1 "encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"
	"reflect"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"

	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/contract"
	"github.com/message-service/message-service/internal/messaging"
)

// maxLine bounds a line; the longest that can be written is a fifth of it.
const maxLine = 1 << 20

// readAhead is how many records may wait to be taken.
const readAhead = 256

// Read yields the records that a store writer wrote. Whatever is not exactly that is
// an error that names the line, after which nothing follows: a line that breaks the
// contract or contradicts itself, a missing end, a checksum that is not that of the
// lines before it, anything behind the end.
//
// It reads and checks while its caller works on what came before. A caller that stops
// early leaves it where it is in r, maybe waiting for more.
func Read(r io.Reader) iter.Seq2[messaging.Record, error] {
	type result struct {
		record messaging.Record
		err    error
	}
	return func(yield func(messaging.Record, error) bool) {
		results, stopped := make(chan result, readAhead), make(chan struct{})
		defer close(stopped)
		go func() {
			defer close(results)
			reader := newReader(r)
			for more := true; more; {
				record, err := reader.next()
				if errors.Is(err, errEnd) {
					return
				}
				if err != nil {
					more, err = false, fmt.Errorf("line %d: %w", reader.line, err)
				}
				select {
				case results <- result{record, err}:
				case <-stopped:
					return
				}
			}
		}()
		for next := range results {
			if !yield(next.record, next.err) {
				return
			}
		}
	}
}

type reader struct {
	lines    *bufio.Reader
	line     int
	contract openapi3.Schemas
	sum      hash.Hash
}

func newReader(r io.Reader) *reader {
	return &reader{lines: bufio.NewReaderSize(r, maxLine), contract: contract.Document().Components.Schemas, sum: sha256.New()}
}

// errEnd tells that the end is good.
var errEnd = errors.New("the end")

// next returns the next record, or errEnd.
func (r *reader) next() (messaging.Record, error) {
	r.line++
	text, err := r.lines.ReadSlice('\n')
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return messaging.Record{}, errors.New("the line is too long")
	case errors.Is(err, io.EOF):
		return messaging.Record{}, errors.New("the file ends before its last line: it was cut short")
	case err != nil:
		return messaging.Record{}, err
	}
	if bytes.HasSuffix(text, []byte("\r\n")) {
		return messaging.Record{}, errors.New("the line ends with a carriage return: the file was converted on its way")
	}
	line, err := r.decode(text)
	if err != nil {
		return messaging.Record{}, err
	}
	if line.Type == server.ExportRecordTypeEnd {
		return messaging.Record{}, r.end(line)
	}
	_, _ = r.sum.Write(text) // a hash does not fail
	record, err := toRecord(line)
	record.Line = r.line
	return record, err
}

// lineFormats checks ids. Times need no check of their own: they must be those inside the ids.
var lineFormats = []openapi3.SchemaValidationOption{
	openapi3.EnableFormatValidation(),
	openapi3.WithStringFormatValidator("uuid", openapi3.NewRegexpFormatValidator(openapi3.FormatOfStringForUUIDOfRFC9562)),
}

// decode decodes a line and checks it against the contract.
func (r *reader) decode(text []byte) (line server.ExportRecord, err error) {
	if err := json.Unmarshal(text, new(jsontext.Value)); err != nil {
		return line, errors.New("this is no JSON: " + err.Error())
	}
	var value any
	decoder := jsonv1.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber() // metadata may have numbers that fit into no type
	if err := decoder.Decode(&value); err != nil {
		return line, err
	}
	if err := r.contract["ExportRecord"].Value.VisitJSON(value, lineFormats...); err != nil {
		return line, explain(err)
	}
	if err := json.Unmarshal(text, &line, json.RejectUnknownMembers(true)); err != nil {
		return line, err
	}
	// Not by the schema of a text that is sent: earlier versions took some that it refuses.
	if m := line.Message; m != nil && m.DeletedAt == nil && m.Text == "" {
		return line, errors.New("/message/text must not be empty")
	}
	return line, nil
}

// end checks the last line.
func (r *reader) end(line server.ExportRecord) error {
	if line.Records == nil || line.Sha256 == nil {
		return errors.New("the end lacks records or sha256")
	}
	if *line.Records != int64(r.line-1) {
		return fmt.Errorf("%d lines come before the end, and it says %d", r.line-1, *line.Records)
	}
	if hex.EncodeToString(r.sum.Sum(nil)) != *line.Sha256 {
		return errors.New("the lines before are not those that were exported: their checksum is another")
	}
	r.line++
	if _, err := r.lines.ReadByte(); !errors.Is(err, io.EOF) {
		return errors.Join(err, errors.New("something follows the end"))
	}
	return errEnd
}

// toRecord makes a record of a line and refuses one that contradicts itself.
func toRecord(line server.ExportRecord) (messaging.Record, error) {
	var r messaging.Record
	changed := (*messaging.ID)(line.Changed)
	switch {
	case line.Message != nil:
		message, err := toMessage(&line)
		if err != nil {
			return r, err
		}
		r.Message = &message
	case line.ReadMarker != nil && changed != nil:
		m := line.ReadMarker
		r.ReadMarker = &messaging.ReadMarker{Owner: m.User, Peer: m.Peer, MessageID: messaging.ID(m.MessageID), Changed: *changed}
	case line.Block != nil && changed != nil:
		r.Block = &messaging.Block{Owner: line.Block.User, Peer: line.Block.Peer, Changed: *changed}
	default:
		return r, fmt.Errorf("a line of the type %s lacks that member, or changed", line.Type)
	}
	if !reflect.DeepEqual(line, toLine(r, true)) {
		return r, errors.New("the line contradicts itself: its times must be those inside its ids, " +
			"and there must be nothing but what its type has")
	}
	return r, nil
}

// toMessage makes a message of a line, whose metadata it brings into the form that is
// stored.
func toMessage(line *server.ExportRecord) (messaging.StoredMessage, error) {
	m := line.Message
	stored := messaging.StoredMessage{Message: messaging.Message{
		ID: messaging.ID(m.ID), Sender: m.Sender, Recipient: m.Recipient, Text: m.Text, ReplyTo: (*messaging.ID)(m.ReplyTo),
		Changed: (*messaging.ID)(line.Changed), Deleted: m.DeletedAt != nil,
	}}
	if m.Metadata != nil {
		metadata, err := jsontext.AppendFormat(nil, m.Metadata)
		if err != nil {
			return stored, fmt.Errorf("metadata: %w", err)
		}
		if isTooDeep(metadata) {
			return stored, fmt.Errorf("metadata may have %d levels", messaging.MetadataMaxDepth)
		}
		m.Metadata, stored.Metadata = metadata, string(metadata)
	}
	stored.KeyRecord = toKeyRecord(line)
	if stored.Deleted && (stored.Text != "" || stored.Metadata != "" || stored.ReplyTo != nil) {
		return stored, errors.New("a deleted message has content")
	}
	if stored.Hash == nil && stored.Fingerprint != nil || stored.Hash != nil && stored.Fingerprint == nil && !stored.Deleted {
		return stored, errors.New("the hash of an idempotency key and its fingerprint go together")
	}
	return stored, nil
}

// toKeyRecord takes the record of an idempotency key from a line. An export of an earlier
// version has the key itself, and a fingerprint that is not keyed by it.
func toKeyRecord(line *server.ExportRecord) messaging.KeyRecord {
	record := messaging.KeyRecord{Hash: fromHex(line.KeyHash), Fingerprint: fromHex(line.Fingerprint)}
	if line.IdempotencyKey == nil || line.KeyHash != nil {
		return record
	}
	record = messaging.NewKeyRecord(*line.IdempotencyKey, record.Fingerprint)
	setKeyRecord(line, record)
	line.IdempotencyKey = nil
	return record
}

// fromHex decodes what the contract says is hexadecimal; nil remains nil.
func fromHex(text *string) []byte {
	if text == nil {
		return nil
	}
	bytes, _ := hex.DecodeString(*text)
	return bytes
}

// isTooDeep tells whether metadata has more levels than it may.
func isTooDeep(metadata []byte) bool {
	decoder := jsontext.NewDecoder(bytes.NewReader(metadata))
	for {
		if _, err := decoder.ReadToken(); err != nil {
			return false
		}
		if decoder.StackDepth() > messaging.MetadataMaxDepth {
			return true
		}
	}
}

// explain tells what is wrong with a value, and where.
func explain(err error) error {
	if failure, ok := errors.AsType[*openapi3.SchemaError](err); ok {
		return fmt.Errorf("/%s: %s", strings.Join(failure.JSONPointer(), "/"), failure.Reason)
	}
	return err
}
