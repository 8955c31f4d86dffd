package messageservice

import (
	"io"
	"strconv"
	"strings"
	"time"
)

// streamBody reads a stream and picks out what go-sse does not report: that the connection
// is alive, which comments show too, and the "retry" field.
type streamBody struct {
	body    io.Reader
	silence *time.Timer    // closes the connection
	longest time.Duration  // for which silence is set
	retry   *time.Duration // receives the value of the "retry" field
	line    []byte         // the first bytes of the current line
}

// retryMaxBytes is longer than any sensible "retry" line.
const retryMaxBytes = 32

// Read runs the timer only while it waits for bytes: a caller that takes its time over a
// change must not lose the connection.
func (b *streamBody) Read(p []byte) (int, error) {
	b.silence.Reset(b.longest)
	n, err := b.body.Read(p)
	b.silence.Stop()
	for _, c := range p[:n] {
		switch {
		case c == '\n' || c == '\r':
			b.readRetry()
			b.line = b.line[:0]
		case len(b.line) < retryMaxBytes:
			b.line = append(b.line, c)
		}
	}
	return n, err
}

// readRetry sets retry, in milliseconds on the wire, if the line is a "retry" field.
func (b *streamBody) readRetry() {
	value, ok := strings.CutPrefix(string(b.line), "retry:")
	if !ok {
		return
	}
	if milliseconds, err := strconv.ParseUint(strings.TrimPrefix(value, " "), 10, 31); err == nil {
		*b.retry = time.Duration(milliseconds) * time.Millisecond
	}
}
