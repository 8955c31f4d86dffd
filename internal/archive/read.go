package archive

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"

	"github.com/message-service/message-service/gen/server"
	"github.com/message-service/message-service/internal/messaging"
	"github.com/message-service/message-service/internal/panics"
)

// maxLine bounds a line, in bytes; the longest that can be written is a fifth of it.
const maxLine = 1 << 20

// readAhead is how many records Read parses ahead of its caller.
const readAhead = 256

// Read yields the records that [Export] wrote. It ends with an error that names the line if a
// line breaks the contract or contradicts itself, the end is missing or not the last line, or
// the checksum is not that of the lines before.
//
// It reads in a goroutine, ahead of its caller. If the caller stops early, the goroutine may
// still be waiting for r.
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
	lines *bufio.Reader
	line  int
	sum   hash.Hash
}

func newReader(r io.Reader) *reader {
	return &reader{lines: bufio.NewReaderSize(r, maxLine), sum: sha256.New()}
}

// errEnd means that the last line is correct.
var errEnd = errors.New("the end")

// next returns the next record, or errEnd.
func (r *reader) next() (_ messaging.Record, err error) {
	defer panics.AsError(&err)
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
	line, err := parseLine(text)
	if err != nil {
		return messaging.Record{}, err
	}
	if line.Type == server.ExportRecordTypeEnd {
		return messaging.Record{}, r.end(line)
	}
	_, _ = r.sum.Write(text) // a hash does not fail
	return toRecord(text, line)
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
