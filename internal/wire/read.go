package wire

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
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

	"github.com/message-service/message-service/api"
	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/messaging"
)

// maxLine bounds a line; the longest that can be written is a fifth of it.
const maxLine = 1 << 20

// Read yields the records that a store writer wrote. Whatever is not exactly that is
// an error that names the line, after which nothing follows: a line that breaks the
// contract or contradicts itself, a missing end, a checksum that is not that of the
// lines before it, anything behind the end.
func Read(r io.Reader) iter.Seq2[messaging.Record, error] {
	return func(yield func(messaging.Record, error) bool) {
		reader, err := newReader(r)
		for err == nil {
			var record messaging.Record
			if record, err = reader.next(); err == nil && !yield(record, nil) {
				return
			}
		}
		if !errors.Is(err, io.EOF) {
			yield(messaging.Record{}, fmt.Errorf("line %d: %w", reader.line, err))
		}
	}
}

type reader struct {
	lines        *bufio.Reader
	line         int
	record, text *openapi3.Schema
	sum          hash.Hash
}

func newReader(r io.Reader) (*reader, error) {
	rd := &reader{lines: bufio.NewReaderSize(r, maxLine), sum: sha256.New()}
	document, err := openapi3.NewLoader().LoadFromData(api.Document)
	if err != nil {
		return rd, fmt.Errorf("contract: %w", err)
	}
	rd.record = document.Components.Schemas["ExportRecord"].Value
	rd.text = document.Components.Schemas["MessageText"].Value
	return rd, nil
}

// next returns the next record, or io.EOF after a good end.
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

// decode decodes a line and checks it against the contract.
func (r *reader) decode(text []byte) (line server.ExportRecord, err error) {
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		return line, fmt.Errorf("this is no JSON: %w", err)
	}
	if err := r.record.VisitJSON(value); err != nil {
		return line, explain("", err)
	}
	if err := json.Unmarshal(text, &line, json.RejectUnknownMembers(true)); err != nil {
		return line, err
	}
	if m := line.Message; m != nil && m.DeletedAt == nil {
		if err := r.text.VisitJSON(m.Text); err != nil {
			return line, explain("/message/text", err)
		}
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
	return io.EOF
}

// toRecord makes a record of a line and refuses one that contradicts itself.
func toRecord(line server.ExportRecord) (messaging.Record, error) {
	var r messaging.Record
	switch changed := (*messaging.ID)(line.Changed); {
	case line.Type == server.ExportRecordTypeMessage && line.Message != nil:
		m := line.Message
		metadata, err := jsontext.AppendFormat(nil, m.Metadata)
		if err != nil && m.Metadata != nil {
			return r, fmt.Errorf("metadata: %w", err)
		}
		m.Metadata = metadata
		r.Message = &messaging.StoredMessage{Message: messaging.Message{
			ID: messaging.ID(m.ID), Sender: m.Sender, Recipient: m.Recipient, Changed: changed, Deleted: m.DeletedAt != nil,
		}}
		if line.IdempotencyKey != nil {
			r.Message.IdempotencyKey = *line.IdempotencyKey
		}
		if !r.Message.Deleted {
			r.Message.Text, r.Message.Metadata, r.Message.ReplyTo = m.Text, string(metadata), (*messaging.ID)(m.ReplyTo)
		}
		if !r.Message.Deleted && line.Fingerprint != nil {
			r.Message.Fingerprint, _ = hex.DecodeString(*line.Fingerprint) // the contract was checked
		}
	case line.Type == server.ExportRecordTypeReadMarker && line.ReadMarker != nil && changed != nil:
		m := line.ReadMarker
		r.ReadMarker = &messaging.ReadMarker{Owner: m.User, Peer: m.Peer, MessageID: messaging.ID(m.MessageID), Changed: *changed}
	case line.Type == server.ExportRecordTypeBlock && line.Block != nil && changed != nil:
		r.Block = &messaging.Block{Owner: line.Block.User, Peer: line.Block.Peer, Changed: *changed}
	default:
		return r, fmt.Errorf("a line of the type %s lacks that member, or changed", line.Type)
	}
	if !reflect.DeepEqual(line, toLine(r, true)) {
		return r, errors.New("the line contradicts itself: its times are those inside its ids, " +
			"a deleted message has no content, and there is nothing but what its type has")
	}
	return r, nil
}

// explain tells what is wrong with a value, and where.
func explain(pointer string, err error) error {
	if failure, ok := errors.AsType[*openapi3.SchemaError](err); ok {
		return fmt.Errorf("%s/%s: %s", pointer, strings.Join(failure.JSONPointer(), "/"), failure.Reason)
	}
	return err
}
